// Puts what the stream brings in its place: a visit that is shown already is updated where it stands, without loading
// its picture anew, and one that was judged again replaces the earlier verdict.

function settle(list) {
  for (const fresh of list.querySelectorAll(".visit.new")) {
    document.getElementById(fresh.dataset.supersedes)?.remove();
    const shown = [...document.querySelectorAll(`[id="${fresh.id}"]`)].find((other) => other !== fresh);
    if (!shown) {
      continue;
    }
    shown.querySelector(".about").replaceWith(fresh.querySelector(".about"));
    fresh.remove();
  }
}

document.addEventListener("htmx:afterSwap", () => {
  document.querySelectorAll(".visits").forEach(settle);
  for (const fresh of document.querySelectorAll(".visit.new")) {
    fresh.addEventListener("animationend", () => fresh.classList.remove("new"), { once: true });
  }
});
