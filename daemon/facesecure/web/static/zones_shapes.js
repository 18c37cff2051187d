// The geometry of areas, in fractions of the picture.

const within = (value) => Math.min(1, Math.max(0, value));

// The point moved by (x, y), and kept within the picture.
export function moved([left, top], x, y) {
  return [within(left + x), within(top + y)];
}

export function rounded([x, y]) {
  return [Math.round(x * 1000) / 1000, Math.round(y * 1000) / 1000];
}

// The area that begins one drawn by keyboard: a rectangle in the middle.
export function starting() {
  return [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]];
}

// The number of the edge, from its first corner, that is nearest to the point on a picture of that size.
export function nearestEdge(corners, point, size) {
  const place = ([x, y]) => [x * size[0], y * size[1]];
  const distances = corners.map((corner, number) => {
    return distance(place(point), place(corner), place(corners[(number + 1) % corners.length]));
  });
  return distances.indexOf(Math.min(...distances));
}

function distance([x, y], [x0, y0], [x1, y1]) {
  const [across, down] = [x1 - x0, y1 - y0], length = across * across + down * down;
  const along = length ? Math.min(1, Math.max(0, ((x - x0) * across + (y - y0) * down) / length)) : 0;
  return Math.hypot(x - x0 - along * across, y - y0 - along * down);
}
