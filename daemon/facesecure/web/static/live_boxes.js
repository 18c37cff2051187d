// The boxes of faces in a picture, in the colour of what is judged so far, with the name or the verdict above.

const COLOURS = { known: "#2fbf5f", stranger: "#ff5a4f", unidentified: "#f2b63c" };
const INK = "#101214", LINE = 3, TEXT = 15, SPACE = 5;

// Draws `boxes`, whose edges are fractions, with lines and text that `scale` makes as large on every screen.
// Returns what stands above each box.
export function drawBoxes(pencil, boxes, scale, words) {
  const { width, height } = pencil.canvas;
  pencil.lineWidth = LINE * scale;
  pencil.font = `600 ${TEXT * scale}px system-ui, sans-serif`;
  pencil.textBaseline = "middle";
  return boxes.map((box) => {
    const [left, top, right, bottom] = [
      box.edges[0] * width, box.edges[1] * height, box.edges[2] * width, box.edges[3] * height,
    ];
    const text = box.name ?? words[box.verdict] ?? box.verdict;
    pencil.strokeStyle = pencil.fillStyle = COLOURS[box.verdict] ?? COLOURS.unidentified;
    pencil.strokeRect(left, top, right - left, bottom - top);
    label(pencil, text, left, top, bottom, scale);
    return text;
  });
}

function label(pencil, text, left, top, bottom, scale) {
  const { width } = pencil.canvas;
  const high = (TEXT + 2 * SPACE) * scale, across = pencil.measureText(text).width + 2 * SPACE * scale;
  const x = Math.max(0, Math.min(left - (LINE * scale) / 2, width - across)), y = top >= high ? top - high : bottom;
  pencil.fillRect(x, y, across, high);
  pencil.fillStyle = INK;
  pencil.fillText(text, x + SPACE * scale, y + high / 2);
}
