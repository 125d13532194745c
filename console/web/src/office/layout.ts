// Where the nodes of a flow stand: layers by the longest way from the beginning, no two at one place. Pure.
import type { Flow } from "@/api/client";

export type DrawnNode = Flow["nodes"][number];
export type Way = Flow["ways"][number];

export interface Placed {
  node: DrawnNode;
  x: number;
  y: number;
}
export interface Line {
  source: string;
  target: string;
  /** Every label of the ways between the two. */
  labels: string[];
  path: string;
  /** Where its label stands. */
  x: number;
  y: number;
}
export interface Picture {
  nodes: Placed[];
  lines: Line[];
  width: number;
  height: number;
}

export const WIDE = 168;
export const HIGH = 62;
const GAP_X = 104;
const GAP_Y = 26;
const MARGIN = 14;

/** How many steps from the beginning each node is at most; the graph has no loops. */
export function layers(nodes: readonly DrawnNode[], ways: readonly Way[]): Map<string, number> {
  const depth = new Map(nodes.map((node) => [node.name, 0]));
  for (let round = 0; round < nodes.length; round++) {
    for (const way of ways) depth.set(way.target, Math.max(depth.get(way.target) ?? 0, (depth.get(way.source) ?? 0) + 1));
  }
  return new Map([...depth].map(([name, at]) => [name, Math.min(at, nodes.length)]));
}

export function picture(flow: Pick<Flow, "nodes" | "ways">): Picture {
  const depth = layers(flow.nodes, flow.ways);
  const columns: DrawnNode[][] = [];
  for (const node of flow.nodes) (columns[depth.get(node.name) ?? 0] ??= []).push(node);
  const filled = columns.filter((column) => column.length > 0);
  const place = new Map<string, Placed>();
  const tallest = Math.max(1, ...filled.map((column) => column.length));
  filled.forEach((column, at) => {
    const sorted = at === 0 ? column : [...column].sort((a, b) => middle(a, flow.ways, place) - middle(b, flow.ways, place));
    const top = ((tallest - sorted.length) * (HIGH + GAP_Y)) / 2;
    sorted.forEach((node, row) => place.set(node.name, { node, x: MARGIN + at * (WIDE + GAP_X), y: MARGIN + top + row * (HIGH + GAP_Y) }));
  });
  return {
    nodes: [...place.values()],
    lines: joined(flow.ways).flatMap((way, _, all) => line(way, all, place)),
    width: MARGIN * 2 + filled.length * (WIDE + GAP_X) - GAP_X,
    height: MARGIN * 2 + tallest * (HIGH + GAP_Y) - GAP_Y,
  };
}

/** The middle height of where a node is come to from. */
function middle(node: DrawnNode, ways: readonly Way[], place: ReadonlyMap<string, Placed>): number {
  const from = ways.flatMap((way, order) => {
    const source = way.target === node.name ? place.get(way.source) : undefined;
    return source ? [source.y + order / 1000] : [];
  });
  return from.length ? from.reduce((sum, y) => sum + y, 0) / from.length : 0;
}

interface Joined {
  source: string;
  target: string;
  labels: string[];
}

/** Ways between the same two nodes as one. */
function joined(ways: readonly Way[]): Joined[] {
  const found = new Map<string, Joined>();
  for (const { source, target, label } of ways) {
    const known = found.get(`${source} ${target}`) ?? { source, target, labels: [] };
    found.set(`${source} ${target}`, { ...known, labels: [...known.labels, label] });
  }
  return [...found.values()];
}

function line(way: Joined, ways: readonly Joined[], place: ReadonlyMap<string, Placed>): Line[] {
  const source = place.get(way.source);
  const target = place.get(way.target);
  if (!source || !target) return [];
  const siblings = ways.filter((one) => one.source === way.source).sort((a, b) => (place.get(a.target)?.y ?? 0) - (place.get(b.target)?.y ?? 0));
  const share = (siblings.indexOf(way) + 1) / (siblings.length + 1);
  const [x1, y1] = [source.x + WIDE, source.y + HIGH * share];
  const [x2, y2] = [target.x, target.y + HIGH / 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  return [{ ...way, path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, x: x2 - 10, y: y2 - 6 }];
}
