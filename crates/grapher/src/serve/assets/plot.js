// The picture in its place: how large it may be, and where a time lies on it.

const plot = document.getElementById('plot');
const canvas = document.getElementById('canvas');
const parser = new DOMParser();

/** The answer that is shown; null before the first. */
export let view = null;

/** Width and height to ask for, for so many panels. */
export function size(panels) {
  const width = Math.floor(plot.clientWidth);
  const narrow = width < 520;
  const top = plot.getBoundingClientRect().top + scrollY;
  const room = innerHeight - top - 104;
  const least = panels * (narrow ? 130 : 150) + 50;
  const most = panels * Math.min(480, width * 0.8) + 50;
  return { width, height: Math.round(Math.max(least, Math.min(most, room))) };
}

/** Puts the picture of an answer in the place of the last one. */
export function show(answer) {
  const svg = parser.parseFromString(answer.svg, 'image/svg+xml').documentElement;
  // What the crosshair and the table say is what is read aloud.
  svg.removeAttribute('role');
  svg.setAttribute('viewBox', svg.getAttribute('viewBox'));
  canvas.replaceChildren(document.adoptNode(svg));
  view = answer;
}

/** Pixels of the page for one of the picture: not 1 while the window is being resized. */
export const scale = () => (view ? plot.clientWidth / view.width : 1);

/** The time at a distance from the left edge of the plot. */
export function timeAt(x) {
  const share = (x / scale() - view.left) / (view.right - view.left);
  return view.from + Math.min(1, Math.max(0, share)) * (view.to - view.from);
}

/** Calls `changed` when the plot has another width. */
export function onResize(changed) {
  let width = plot.clientWidth;
  let timer = 0;
  const observer = new ResizeObserver(() => {
    if (plot.clientWidth === width) return;
    width = plot.clientWidth;
    clearTimeout(timer);
    timer = setTimeout(changed, 120);
  });
  observer.observe(plot);
}
