// Keeps parts of a page up to date. An element with data-live="mode visits" and data-from="/parts/now/visits" is
// fetched anew when one of its topics changes. The stream ends while the page is hidden, so that it keeps no connection.

const QUIET_MS = 300;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30000;

let stream = null;
let retryMs = FIRST_RETRY_MS;
let retry = 0;
const waiting = new Set();
const busy = new Set();
const again = new Set();
let timer = 0;
let since = document.body.dataset.changes || "";

function elements() {
  return [...document.querySelectorAll("[data-live][data-from]")];
}

function refresh(element) {
  if (element.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) {
    return; // somebody is typing there
  }
  if (busy.has(element)) {
    again.add(element); // what changes meanwhile is asked for when this answer is there
    return;
  }
  busy.add(element);
  // Its own source: all that htmx is asked without one shares a queue, of which it keeps only the last.
  const how = { source: element, target: element, swap: element.dataset.swap || "innerHTML" };
  window.htmx.ajax("GET", element.dataset.from, how).finally(() => {
    busy.delete(element);
    if (again.delete(element)) {
      changed(element.dataset.live.split(" "));
    }
  });
}

function refreshWaiting() {
  timer = 0;
  for (const element of elements()) {
    if (element.dataset.live.split(" ").some((topic) => waiting.has(topic))) {
      refresh(element);
    }
  }
  document.dispatchEvent(new CustomEvent("facesecure:changed", { detail: [...waiting] }));
  waiting.clear();
}

function changed(topics) {
  topics.forEach((topic) => waiting.add(topic));
  timer = timer || setTimeout(refreshWaiting, QUIET_MS);
}

function open() {
  if (stream || document.hidden || !document.querySelector("[data-live]")) {
    return;
  }
  clearTimeout(retry);
  stream = new EventSource(`/events?since=${encodeURIComponent(since)}`);
  stream.addEventListener("changed", (event) => {
    since = event.lastEventId;
    changed(event.data.split(" "));
  });
  stream.addEventListener("open", () => {
    retryMs = FIRST_RETRY_MS;
  });
  stream.addEventListener("ended", () => location.reload()); // to the sign-in page
  stream.addEventListener("error", () => {
    close();
    retry = setTimeout(open, retryMs);
    retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
  });
}

function close() {
  stream?.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    close();
  } else {
    open(); // and hear what happened meanwhile
  }
});
addEventListener("pagehide", close);
addEventListener("pageshow", open);
document.addEventListener("htmx:load", open);
