// Live: draws what the cameras show, and the boxes of faces, as the pictures come over one WebSocket.
// The next picture of a camera comes once the last one is drawn and acknowledged. It pauses while nobody sees the page.

import { drawBoxes } from "./live_boxes.js";
import { drawAreas } from "./live_areas.js";

const SIGNED_OUT = 4401, FORBIDDEN = 4403, OVER = 4410, LATER = 1013;
const STALE_SECONDS = 5, LONGEST_PAUSE = 15000;

const root = document.getElementById("live");
const state = document.getElementById("live-state");
const areasButton = document.getElementById("live-areas");
const goOn = state.querySelector("button");
const cameras = new Map();
let socket = null, asked = 0, pause = 1000, retry = 0, over = false, showsAreas = false;

for (const figure of root.querySelectorAll("[data-camera]")) {
  const canvas = figure.querySelector("canvas");
  cameras.set(figure.dataset.camera, {
    figure, canvas, age: figure.querySelector(".live-age"), image: null, head: null, came: 0,
    mask: JSON.parse(figure.dataset.mask), zones: JSON.parse(figure.dataset.zones),
  });
}

function say(key, button = false) {
  state.hidden = !key;
  state.querySelector("p").textContent = key ? state.dataset[key] : "";
  goOn.hidden = !button;
}

function width() {
  const widest = Math.max(...[...cameras.values()].map((camera) => camera.figure.clientWidth));
  return widest * Math.min(devicePixelRatio, 2) > 700 ? 1280 : 640;
}

function watch() {
  asked = width();
  socket.send(JSON.stringify({ watch: [...cameras.keys()], width: asked }));
}

function begin() {
  if (socket || over || document.hidden || !cameras.size) return;
  const address = new URL("/live/socket", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const mine = socket = new WebSocket(address);
  mine.binaryType = "arraybuffer";
  mine.addEventListener("open", () => { pause = 1000; say(null); watch(); });
  mine.addEventListener("message", (event) => take(mine, event.data));
  mine.addEventListener("close", (event) => { if (mine === socket) { socket = null; ended(event.code); } });
}

function end() {
  const mine = socket;
  socket = null;
  clearTimeout(retry);
  mine?.close();
}

function ended(code) {
  if (code === SIGNED_OUT) return location.reload();
  over = code === OVER || code === FORBIDDEN;
  if (over) return say(code === OVER ? "over" : "forbidden", code === OVER);
  if (document.hidden) return;
  say(code === LATER ? "full" : "lost");
  retry = setTimeout(begin, pause);
  pause = Math.min(2 * pause, LONGEST_PAUSE);
}

async function take(mine, data) {
  const length = new DataView(data).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const camera = cameras.get(head.camera);
  try {
    const image = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
    camera.image?.close();
    Object.assign(camera, { image, head, came: performance.now() - 1000 * head.age });
    await new Promise(requestAnimationFrame);
    if (mine === socket) draw(camera);
  } finally {
    if (mine.readyState === WebSocket.OPEN) mine.send(JSON.stringify({ camera: head.camera, number: head.number }));
  }
}

function draw(camera) {
  const { canvas, image, head, figure } = camera;
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  const pencil = canvas.getContext("2d");
  pencil.drawImage(image, 0, 0);
  const scale = image.width / Math.max(1, canvas.clientWidth || figure.clientWidth);
  if (showsAreas) drawAreas(pencil, camera.mask, camera.zones, scale);
  const words = drawBoxes(pencil, head.boxes, scale, root.dataset);
  if (canvas.hidden) {
    figure.querySelector("img, .empty")?.remove();
    canvas.hidden = false;
  }
  const label = root.dataset.shows
    .replace("%(camera)s", figure.dataset.name).replace("%(who)s", words.join(", ") || root.dataset.nobody);
  if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
  tell(camera);
}

function tell(camera) {
  if (!camera.head) return;
  const seconds = Math.max(0, (performance.now() - camera.came) / 1000);
  const stale = seconds >= STALE_SECONDS, words = root.dataset;
  camera.figure.classList.toggle("stale", stale);
  const length = seconds < 120 ? words.seconds.replace("%(n)s", Math.round(seconds))
    : words.minutes.replace("%(n)s", Math.round(seconds / 60));
  const text = stale ? words.ago.replace("%(time)s", length) : words.now;
  if (camera.age.textContent !== text) camera.age.textContent = text;
}

goOn.addEventListener("click", () => { over = false; say("connecting"); begin(); });
areasButton.addEventListener("click", () => {
  showsAreas = !showsAreas;
  areasButton.setAttribute("aria-pressed", String(showsAreas));
  for (const camera of cameras.values()) if (camera.image) draw(camera);
});
document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
addEventListener("pagehide", end);
addEventListener("pageshow", begin);
addEventListener("resize", () => { if (socket?.readyState === WebSocket.OPEN && width() !== asked) watch(); });
setInterval(() => cameras.forEach(tell), 1000);

document.getElementById("live-refresh").hidden = true;
areasButton.hidden = ![...cameras.values()].some((camera) => camera.mask.length || camera.zones.length);
say("connecting");
begin();
