// Fetches the newest picture of each camera now and then while the page is seen, and says how old it is: also while none
// comes, so that a picture from before the house went silent does not pass for one of now.

const EVERY_MS = 10000;
const SILENT_MS = 25000;

const taken = new WeakMap();
let heard = Date.now();

function tell(image) {
  const words = image.closest("a").querySelector("[data-age]");
  if (words) {
    const seconds = Math.round((Date.now() - taken.get(image)) / 1000);
    words.textContent = seconds < 2 ? words.dataset.now : words.dataset.seconds.replace("{n}", seconds);
  }
}

async function renew(image) {
  try {
    const how = { credentials: "same-origin", signal: AbortSignal.timeout(EVERY_MS) };
    const answer = await fetch(image.dataset.camera, how);
    heard = answer.status < 500 ? Date.now() : heard;
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("image/")) {
      return;
    }
    const before = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    await image.decode();
    const age = answer.headers.get("X-Age");
    if (age !== null) {
      taken.set(image, Date.now() - 1000 * Number(age));
      tell(image);
    }
    if (before.startsWith("blob:")) {
      URL.revokeObjectURL(before);
    }
  } catch {
    // The camera or the network is away: what is shown stays, and the next round tries again.
  }
}

function look() {
  const images = document.querySelectorAll("img[data-camera]");
  heard = images.length ? heard : Date.now(); // nobody asks
  document.getElementById("silent")?.toggleAttribute("hidden", Date.now() - heard < SILENT_MS);
  for (const image of images) {
    if (!taken.has(image)) taken.set(image, Date.now());
    else if (Date.now() - taken.get(image) > 1.5 * EVERY_MS) tell(image); // the last round brought none
    renew(image);
  }
}

setInterval(() => document.hidden || look(), EVERY_MS);
document.addEventListener("visibilitychange", () => {
  heard = Date.now(); // nobody asked while the page was hidden
});

setInterval(() => {
  for (const words of document.querySelectorAll("[data-left]")) {
    words.dataset.left = Math.max(0, Number(words.dataset.left) - 1);
    words.textContent = words.textContent.replace(/\d+/, words.dataset.left);
  }
}, 1000);
