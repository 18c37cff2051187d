// Masks and zones, drawn on a picture. Tap for each corner, drag a corner, or use the keyboard: Tab reaches every
// corner, arrow keys move it, Delete removes it. What is drawn goes into the hidden fields of the form.

import { moved, nearestEdge, rounded, starting } from "./zones_shapes.js";

const SVG = "http://www.w3.org/2000/svg";
const KEPT = "facesecure-zones", STEP = 0.01, LONG_STEP = 0.05, TOUCH = 22, DOT = 7, MOST_CORNERS = 100;

const root = document.getElementById("zones");
const words = root.dataset;
const frame = root.querySelector(".draw");
const svg = frame.querySelector("svg");
const hint = root.querySelector(".hint");
const list = root.querySelector(".areas");
const movedButton = root.querySelector("[data-moved].button");
const form = document.getElementById("save");
const size = [Number(words.width), Number(words.height)];
const areas = [
  ...JSON.parse(words.mask).map((corners) => ({ kind: "mask", corners })),
  ...JSON.parse(words.zones).map((corners) => ({ kind: "zones", corners })),
];
let chosen = null, dragged = null, showsMoved = false;

function fill(text, values) {
  return Object.entries(values).reduce((done, [key, value]) => done.replace(`%(${key})s`, value), text);
}

function nameOf(area) {
  const number = areas.filter((other) => other.kind === area.kind).indexOf(area) + 1;
  return fill(area.kind === "mask" ? words.maskName : words.zoneName, { n: number });
}

function make(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return parent.appendChild(element);
}

function scale() {
  return size[0] / Math.max(1, frame.clientWidth);
}

function points(corners) {
  return corners.map(([x, y]) => `${x * size[0]},${y * size[1]}`).join(" ");
}

function draw() {
  const focused = document.activeElement?.dataset?.corner;
  svg.replaceChildren();
  if (showsMoved) drawMoved();
  for (const area of areas) {
    const polygon = make(svg, "polygon", { points: points(area.corners), class: area.kind });
    polygon.classList.toggle("chosen", area === chosen);
    polygon.addEventListener("click", (event) => {
      if (area === chosen || (chosen && chosen.corners.length < 3)) return;
      event.stopPropagation();
      choose(area);
    });
  }
  chosen?.corners.forEach((corner, number) => drawCorner(corner, number));
  if (focused !== undefined) svg.querySelector(`[data-corner="${focused}"]`)?.focus();
  frame.classList.toggle("drawing", chosen !== null);
}

function drawMoved() {
  for (const [left, top, right, bottom] of JSON.parse(words.moved)) {
    make(svg, "rect", {
      class: "moved", x: left * size[0], y: top * size[1],
      width: (right - left) * size[0], height: (bottom - top) * size[1],
    });
  }
}

function drawCorner([x, y], number) {
  const all = chosen.corners.length;
  const group = make(svg, "g", {
    class: "corner", tabindex: 0, role: "button", "data-corner": number,
    transform: `translate(${x * size[0]} ${y * size[1]}) scale(${scale()})`,
    "aria-label": fill(words.corner, { area: nameOf(chosen), n: number + 1, all }),
  });
  make(group, "circle", { class: "touch", r: TOUCH });
  make(group, "circle", { class: "dot", r: DOT });
}

function listAreas() {
  list.replaceChildren();
  for (const area of areas) {
    const name = nameOf(area), line = list.appendChild(document.createElement("li"));
    const text = line.appendChild(document.createElement("span"));
    text.append(name, " ", Object.assign(document.createElement("span"), {
      className: "quiet", textContent: fill(words.corners, { n: area.corners.length }),
    }));
    line.append(
      button(area === chosen ? words.chosen : words.choose, "quiet", () => choose(area === chosen ? null : area), {
        "aria-pressed": String(area === chosen), "aria-label": `${words.choose}: ${name}`,
      }),
      button("×", "danger outline", () => remove(area), { "aria-label": fill(words.remove, { area: name }) }),
    );
  }
  list.hidden = !areas.length;
}

function button(text, kind, action, attributes) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: `button ${kind}` });
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.addEventListener("click", action);
  return made;
}

function show() {
  draw();
  listAreas();
  hint.textContent = !areas.length ? words.none : !chosen ? "" : chosen.corners.length < 3 ? words.draw : words.more;
  keep();
}

// Puts what is drawn into the form, and keeps it over a visit to the page that asks for the password.
function keep() {
  const drawn = { mask: [], zones: [] };
  for (const area of areas) if (area.corners.length >= 3) drawn[area.kind].push(area.corners.map(rounded));
  if (!form) return;
  for (const kind of ["mask", "zones"]) form.elements[kind].value = JSON.stringify(drawn[kind]);
}

function choose(area) {
  if (chosen && chosen.corners.length < 3 && chosen !== area) areas.splice(areas.indexOf(chosen), 1);
  chosen = area;
  show();
}

function remove(area) {
  areas.splice(areas.indexOf(area), 1);
  if (chosen === area) chosen = null;
  show();
}

function add(kind, byKeyboard) {
  choose(null);
  const area = { kind, corners: byKeyboard ? starting() : [] };
  areas.push(area);
  choose(area);
  if (byKeyboard) svg.querySelector("[data-corner]")?.focus();
}

function at(event) {
  const box = svg.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function addCorner(point) {
  if (!chosen || chosen.corners.length >= MOST_CORNERS) return;
  const place = chosen.corners.length < 3 ? chosen.corners.length : nearestEdge(chosen.corners, point, size) + 1;
  chosen.corners.splice(place, 0, moved(point, 0, 0));
  show();
}

function removeCorner(number) {
  chosen.corners.splice(number, 1);
  if (!chosen.corners.length) return remove(chosen);
  show();
  svg.querySelector(`[data-corner="${Math.min(number, chosen.corners.length - 1)}"]`)?.focus();
}

svg.addEventListener("click", (event) => {
  if (!event.target.closest(".corner")) addCorner(at(event));
});
svg.addEventListener("pointerdown", (event) => {
  const corner = event.target.closest(".corner");
  if (!corner) return;
  dragged = Number(corner.dataset.corner);
  svg.setPointerCapture(event.pointerId);
  event.preventDefault();
  corner.focus();
});
svg.addEventListener("pointermove", (event) => {
  if (dragged === null) return;
  chosen.corners[dragged] = moved(at(event), 0, 0);
  draw();
});
for (const name of ["pointerup", "pointercancel"]) {
  svg.addEventListener(name, () => { if (dragged !== null) { dragged = null; show(); } });
}
svg.addEventListener("keydown", (event) => {
  const number = Number(event.target.dataset?.corner);
  if (!chosen || Number.isNaN(number)) return;
  const step = event.shiftKey ? LONG_STEP : STEP;
  const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (way) {
    chosen.corners[number] = moved(chosen.corners[number], ...way);
    show();
  } else if (event.key === "Delete" || event.key === "Backspace") {
    removeCorner(number);
  } else {
    return;
  }
  event.preventDefault();
});
for (const adding of root.querySelectorAll("[data-add]")) {
  adding.addEventListener("click", (event) => add(adding.dataset.add, event.detail === 0));
}
movedButton.addEventListener("click", () => {
  showsMoved = !showsMoved;
  movedButton.setAttribute("aria-pressed", String(showsMoved));
  draw();
});
form?.addEventListener("submit", () => {
  keep();
  sessionStorage.setItem(KEPT, JSON.stringify({ camera: words.camera, revision: words.revision, areas }));
});
document.getElementById("undo")?.addEventListener("click", () => sessionStorage.removeItem(KEPT));
new ResizeObserver(draw).observe(frame);

// What was being saved when the page asked for the password is here again afterwards.
const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
sessionStorage.removeItem(KEPT);
if (kept?.camera === words.camera && kept.revision === words.revision) areas.splice(0, areas.length, ...kept.areas);
root.querySelector(".tools").hidden = false;
form?.querySelector(".save").removeAttribute("hidden");
movedButton.hidden = words.moved === "[]";
show();
