/** Marks on a plot: times that are shaded, and words. */
import type uPlot from "uplot";

export interface Zone {
  /** Epoch ms. */
  from: number;
  to: number;
  word: string;
}

export function drawZones(u: uPlot, zones: Zone[], colour: string): void {
  const { top: y, height } = u.bbox;
  u.ctx.save();
  u.ctx.globalAlpha = 0.6;
  u.ctx.fillStyle = colour;
  for (const zone of zones) {
    const [from, to] = edges(u, zone);
    if (to > from) u.ctx.fillRect(from, y, to - from, height);
  }
  u.ctx.restore();
}

function edges(u: uPlot, zone: Zone): [number, number] {
  const { left, width } = u.bbox;
  const place = (at: number) => Math.min(left + width, Math.max(left, u.valToPos(at / 1000, "x", true)));
  return [place(zone.from), place(zone.to)];
}

/** Words on the canvas: a zone's in its right upper corner where there is room, and "now" below. */
export function drawWords(u: uPlot, zones: Zone[], colour: string, font: string): void {
  const ratio = devicePixelRatio || 1;
  const { left, top: y, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.fillStyle = colour;
  u.ctx.font = font.replace("11px", `${11 * ratio}px`);
  u.ctx.textAlign = "right";
  for (const zone of zones) {
    const [from, to] = edges(u, zone);
    const room = to - from - 12 * ratio;
    if (u.ctx.measureText(zone.word).width <= room) u.ctx.fillText(zone.word, to - 6 * ratio, y + 14 * ratio);
  }
  u.ctx.textBaseline = "top";
  u.ctx.fillText("now", left + width, y + height + 6 * ratio);
  u.ctx.restore();
}
