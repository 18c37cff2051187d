// Fetches the newest picture of each camera now and then while the page is seen, and says how old it is.

const EVERY_MS = 10000;

function tell(image, age) {
  const words = image.closest("a").querySelector("[data-age]");
  if (words && age !== null) {
    const seconds = Math.round(Number(age));
    words.textContent = seconds < 2 ? words.dataset.now : words.dataset.seconds.replace("{n}", seconds);
  }
}

async function renew(image) {
  try {
    const answer = await fetch(image.dataset.camera, { credentials: "same-origin" });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("image/")) {
      return;
    }
    const before = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    await image.decode();
    tell(image, answer.headers.get("X-Age"));
    if (before.startsWith("blob:")) {
      URL.revokeObjectURL(before);
    }
  } catch {
    // The camera or the network is away: what is shown stays, and the next round tries again.
  }
}

setInterval(() => {
  if (!document.hidden) {
    document.querySelectorAll("img[data-camera]").forEach(renew);
  }
}, EVERY_MS);
