// Puts what the stream brings in its place: a visit that is shown already is updated where it stands, without loading
// its picture anew, and one that was judged again replaces the earlier verdict. What came has no id until then.

function settle(fresh) {
  document.getElementById(fresh.dataset.supersedes)?.remove();
  const shown = document.getElementById(fresh.dataset.visit);
  if (shown) {
    shown.querySelector(".about").replaceWith(fresh.querySelector(".about"));
    fresh.remove();
    return;
  }
  fresh.id = fresh.dataset.visit;
  fresh.addEventListener("animationend", () => fresh.classList.remove("new"), { once: true });
}

document.addEventListener("htmx:afterSwap", () => document.querySelectorAll(".visit.new:not([id])").forEach(settle));
