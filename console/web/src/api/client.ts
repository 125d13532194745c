// The only way to the API: types come out of its own description, problems become one kind of error.
import type { paths } from "./schema";

type With<Method extends string> = { [P in keyof paths]: paths[P] extends Record<Method, { responses: unknown }> ? P : never }[keyof paths];
type Answer<O> = O extends { responses: infer R }
  ? { [Status in keyof R]: Status extends 200 | 201 | 202 ? (R[Status] extends { content: { "application/json": infer T } } ? T : undefined) : never }[keyof R]
  : never;
type Part<O, Name extends string> = O extends { parameters: { [N in Name]?: infer T } } ? T : never;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer T } } } ? T : undefined;
interface Asked<O> {
  path?: Part<O, "path">;
  query?: Part<O, "query">;
}

// Named by where they come from: names inside the description change when another room has a model of the same name.
type Of<P extends With<"get">> = Answer<paths[P]["get"]>;
export type Seat = Of<"/api/v1/seats">["items"][number];
export type Call = Of<"/api/v1/calls">["items"][number];
export type Ticket = Of<"/api/v1/tickets">["items"][number];
export type Transcript = Of<"/api/v1/transcripts/{transcript}">;
export type Segment = Transcript["segments"][number];
export type Recording = Of<"/api/v1/recordings">["items"][number];
export type Queue = Of<"/api/v1/queues">["items"][number];
export type Floor = Of<"/api/v1/floor">;
export type FloorSeat = Floor["seats"][number];
export type Figures = Of<"/api/v1/kpis">;
export type Me = Of<"/api/v1/me">;
export type Reason = Of<"/api/v1/pause-reasons">["items"][number];
export type Desk = Of<"/api/v1/desk">;
export type Company = NonNullable<Desk["talk"]>;
export type FigureRow = Of<"/api/v1/kpis/by/{by}">["items"][number];
export type Stretch = Of<"/api/v1/kpis/day">["items"][number];
export type Strain = Of<"/api/v1/floor/strain">["items"][number];
export type Step = Of<"/api/v1/calls/{call}/timeline">["items"][number];
export type Waveform = Of<"/api/v1/recordings/{recording}/waveform">;

/** What the server said instead of doing it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Called when the log-in has ended. */
let shownOut = (): void => undefined;
export function whenShownOut(act: () => void): void {
  shownOut = act;
}

export function get<P extends With<"get">>(path: P, asked: Asked<paths[P]["get"]> = {}): Promise<Answer<paths[P]["get"]>> {
  return send("GET", path, asked) as Promise<Answer<paths[P]["get"]>>;
}

export function post<P extends With<"post">>(
  path: P, asked: Asked<paths[P]["post"]> & { body?: Body<paths[P]["post"]> } = {},
): Promise<Answer<paths[P]["post"]>> {
  return send("POST", path, asked) as Promise<Answer<paths[P]["post"]>>;
}

export function patch<P extends With<"patch">>(
  path: P, asked: Asked<paths[P]["patch"]> & { body: Body<paths[P]["patch"]> },
): Promise<Answer<paths[P]["patch"]>> {
  return send("PATCH", path, asked) as Promise<Answer<paths[P]["patch"]>>;
}

async function send(method: string, path: string, asked: { path?: unknown; query?: unknown; body?: unknown }): Promise<unknown> {
  const answer = await fetch(address(path, asked.path, asked.query), {
    method,
    headers: asked.body === undefined ? { accept: "application/json" } : { accept: "application/json", "content-type": "application/json" },
    body: asked.body === undefined ? undefined : JSON.stringify(asked.body),
    signal: AbortSignal.timeout(15_000),
  });
  if (answer.status === 204) return undefined;
  const said: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return said;
  if (answer.status === 401 && path !== "/api/v1/login") shownOut();
  const detail = typeof said === "object" && said !== null && "detail" in said ? String(said.detail) : "";
  throw new Problem(answer.status, detail || answer.statusText);
}

function address(path: string, places: unknown, query: unknown): string {
  const known = (places ?? {}) as Record<string, string>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(known[name] ?? ""));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null && value !== "") asked.set(name, String(value));
  }
  const text = asked.toString();
  return text ? `${filled}?${text}` : filled;
}
