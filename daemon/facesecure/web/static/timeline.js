// Puts what the stream brings in its place: a visit that is shown already is updated where it stands, without loading
// its picture anew, and one that was judged again replaces the earlier verdict. What came has no id until then.

const came = (visit) => Date.parse(visit.querySelector("time").dateTime);

// The stream tells of some minutes: on a busy day, of visits before all that are shown. Those are on the next page.
function place(fresh) {
  const earlier = [...document.querySelectorAll(".visit[id]")].find((shown) => came(shown) < came(fresh));
  if (earlier) earlier.before(fresh);
  else fresh.remove();
}

function settle(fresh) {
  const replaced = document.getElementById(fresh.dataset.supersedes);
  const shown = document.getElementById(fresh.dataset.visit);
  if (shown) {
    replaced?.remove();
    shown.querySelector(".about").replaceWith(fresh.querySelector(".about"));
    fresh.remove();
    return;
  }
  if (replaced) replaced.replaceWith(fresh);
  else place(fresh);
  fresh.id = fresh.dataset.visit;
  fresh.addEventListener("animationend", () => fresh.classList.remove("new"), { once: true });
}

document.addEventListener("htmx:afterSwap", () => document.querySelectorAll(".visit.new:not([id])").forEach(settle));
