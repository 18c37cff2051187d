// Shows what is pushed, also when no page is open. It keeps nothing and answers no requests.

function read(data) {
  try {
    const message = data.json();
    return typeof message.title === "string" && typeof message.body === "string" ? message : null;
  } catch {
    return null;
  }
}

// Only addresses of this page: what was pushed came from outside.
function local(address) {
  const url = new URL(typeof address === "string" ? address : "/", self.location.origin);
  return url.origin === self.location.origin ? url.href : self.location.origin + "/";
}

// The picture is asked for with this browser's session, and is not there once it is signed out.
async function picture(address) {
  try {
    const answer = await fetch(local(address), { credentials: "same-origin", redirect: "error" });
    if (!answer.ok || answer.headers.get("Content-Type") !== "image/jpeg") {
      return undefined;
    }
    let text = "";
    for (const byte of new Uint8Array(await answer.arrayBuffer())) {
      text += String.fromCharCode(byte);
    }
    return "data:image/jpeg;base64," + btoa(text);
  } catch {
    return undefined;
  }
}

async function show(data) {
  // Browsers end a subscription whose pushes show nothing.
  const message = (data && read(data)) || { title: "facesecure", body: "…", url: "/", actions: [] };
  const actions = Array.isArray(message.actions) ? message.actions : [];
  const image = message.picture ? await picture(message.picture) : undefined;
  await self.registration.showNotification(message.title, {
    body: message.body,
    tag: message.tag,
    renotify: Boolean(message.tag),
    timestamp: message.at,
    icon: image,
    image,
    actions: actions.map(({ action, title }) => ({ action, title })),
    data: { url: message.url, actions: Object.fromEntries(actions.map((one) => [one.action, one.url])) },
  });
}

async function open(address) {
  const url = local(address);
  const windows = await self.clients.matchAll({ type: "window" });
  for (const one of windows) {
    try {
      await one.focus();
      await one.navigate(url);
      return;
    } catch {
      // It is one that this worker does not control.
    }
  }
  await self.clients.openWindow(url);
}

// A push service may replace the address of a browser.
async function renew(event) {
  const options = event.oldSubscription && event.oldSubscription.options;
  const made = event.newSubscription || (options && (await self.registration.pushManager.subscribe(options)));
  if (made) {
    const { endpoint, keys } = made.toJSON();
    const body = new URLSearchParams({ endpoint, p256dh: keys.p256dh, auth: keys.auth });
    await fetch("/push", { method: "POST", body, credentials: "same-origin" });
  }
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url, actions } = event.notification.data || {};
  event.waitUntil(open((event.action && actions && actions[event.action]) || url));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
