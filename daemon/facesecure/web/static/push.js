// Subscribes this browser to notifications, or says why it cannot.

const form = document.querySelector("[data-push]");
const button = form && form.querySelector("button");

function say(word) {
  form.querySelectorAll("[data-when]").forEach((note) => (note.hidden = note.dataset.when !== word));
}

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function missing() {
  if (!window.isSecureContext) {
    return "insecure";
  }
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return "unsupported";
  }
  return Notification.permission === "denied" ? "denied" : "";
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") {
    say("denied");
    return;
  }
  await navigator.serviceWorker.register("/worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const earlier = await pushManager.getSubscription();
  if (earlier) {
    await earlier.unsubscribe(); // it may be bound to another key
  }
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.push) });
  const { endpoint, keys } = made.toJSON();
  for (const [name, value] of Object.entries({ endpoint, p256dh: keys.p256dh, auth: keys.auth })) {
    form.elements[name].value = value;
  }
  form.submit();
}

async function end() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const made = registration && (await registration.pushManager.getSubscription());
  if (made) {
    await made.unsubscribe();
  }
}

if (form) {
  const why = missing();
  say(why);
  button.hidden = Boolean(why);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    subscribe()
      .catch(() => say("failed"))
      .finally(() => (button.disabled = false));
  });
}
const mine = document.querySelector("[data-push-end]");
if (mine && "serviceWorker" in navigator) {
  mine.addEventListener("submit", (event) => {
    event.preventDefault();
    end()
      .catch(() => {})
      .finally(() => mine.submit());
  });
}
