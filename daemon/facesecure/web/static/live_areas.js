// Masks and zones over a picture: masks are darkened and struck through, zones are outlined.

const MASK = "#ff9d3c", ZONE = "#4fb3ff", LINE = 2, STRIPES = 12;

function outline(pencil, corners) {
  const { width, height } = pencil.canvas;
  pencil.beginPath();
  for (const [x, y] of corners) pencil.lineTo(x * width, y * height);
  pencil.closePath();
}

function strike(pencil, scale) {
  const { width, height } = pencil.canvas;
  pencil.save();
  pencil.clip("evenodd");
  pencil.fillStyle = "rgb(0 0 0 / 45%)";
  pencil.fillRect(0, 0, width, height);
  pencil.globalAlpha = 0.5;
  pencil.beginPath();
  for (let at = -height; at < width; at += STRIPES * scale) {
    pencil.moveTo(at, height);
    pencil.lineTo(at + height, 0);
  }
  pencil.stroke();
  pencil.restore();
}

export function drawAreas(pencil, mask, zones, scale) {
  pencil.lineWidth = LINE * scale;
  for (const [areas, colour, isMask] of [[mask, MASK, true], [zones, ZONE, false]]) {
    pencil.strokeStyle = colour;
    for (const corners of areas) {
      outline(pencil, corners);
      if (isMask) strike(pencil, scale);
      outline(pencil, corners);
      pencil.stroke();
    }
  }
}
