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
export type TicketWhole = Of<"/api/v1/tickets/{ticket}">;
export type Classes = Of<"/api/v1/tickets/classification">;
export type Transcript = Of<"/api/v1/transcripts/{transcript}">;
export type Segment = Transcript["segments"][number];
export type LiveWords = Of<"/api/v1/calls/{call}/transcript/live">;
export type LiveLine = LiveWords["segments"][number];
export type Recording = Of<"/api/v1/recordings">["items"][number];
export type Found = Of<"/api/v1/quality/recordings">["items"][number];
export type CallBack = Of<"/api/v1/callbacks">["items"][number];
export type Queue = Of<"/api/v1/queues">["items"][number];
export type Floor = Of<"/api/v1/floor">;
export type FloorSeat = Floor["seats"][number];
export type Figures = Of<"/api/v1/kpis">;
export type Me = Of<"/api/v1/me">;
export type Reason = Of<"/api/v1/pause-reasons">["items"][number];
export type Desk = Of<"/api/v1/desk">;
export type Target = Of<"/api/v1/outside/targets">["items"][number];
export type OnDuty = Of<"/api/v1/roster/{unit}/now">;
export type Brief = Of<"/api/v1/desk/calls/{call}/brief">;
export type Conclusion = Brief["conclusions"][number];
export type Company = NonNullable<Desk["talk"]>;
export type FigureRow = Of<"/api/v1/kpis/by/{by}">["items"][number];
export type Stretch = Of<"/api/v1/kpis/day">["items"][number];
export type Strain = Of<"/api/v1/floor/strain">["items"][number];
export type Step = Of<"/api/v1/calls/{call}/timeline">["items"][number];
export type NumberEntry = Of<"/api/v1/numbers">["items"][number];
export type NumberAnswer = Of<"/api/v1/numbers/{number}">;
export type Simulated = Of<"/api/v1/numbers/{number}/simulate">;
export type LedgerLine = Of<"/api/v1/numbers/{number}/ledger">["items"][number];
export type Flows = Of<"/api/v1/flows">;
export type Flow = Of<"/api/v1/flows/{flow}">;
export type Prompt = Of<"/api/v1/prompts">["items"][number];
export type Calendar = Of<"/api/v1/calendar">;
export type DayAnswer = Of<"/api/v1/calendar/{day}">;
export type Person = Of<"/api/v1/people">["items"][number];
export type Profile = Of<"/api/v1/agents">["items"][number];
export type Plan = Of<"/api/v1/queues/{queue}/plan">;
export type PlanBody = NonNullable<Body<paths["/api/v1/queues/{queue}/plan"]["put"]>>;
export type RosterUnit = Of<"/api/v1/roster">["items"][number];
export type Reach = Of<"/api/v1/roster/reach">;
export type Sheet = Of<"/api/v1/quality/sheet">;
export type Note = Of<"/api/v1/recordings/{recording}/notes">["items"][number];
export type Review = Of<"/api/v1/recordings/{recording}/reviews">["items"][number];
export type Listening = Of<"/api/v1/recordings/{recording}/listeners">["items"][number];
export type Waveform = Of<"/api/v1/recordings/{recording}/waveform">;

/** What the server said instead of doing it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: readonly string[] = [],
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

export function put<P extends With<"put">>(
  path: P, asked: Asked<paths[P]["put"]> & { body: Body<paths[P]["put"]> },
): Promise<Answer<paths[P]["put"]>> {
  return send("PUT", path, asked) as Promise<Answer<paths[P]["put"]>>;
}

export async function remove<P extends With<"delete">>(path: P, asked: Asked<paths[P]["delete"]>): Promise<void> {
  await send("DELETE", path, asked);
}

/** A catalogue as YAML (or JSON): all of it or nothing; with `check` only what would happen. */
export function importNumbers(file: string, check: boolean): Promise<Answer<paths["/api/v1/numbers/import"]["post"]>> {
  const asked = { query: { file: "change.yaml", check }, text: file };
  return send("POST", "/api/v1/numbers/import", asked) as Promise<Answer<paths["/api/v1/numbers/import"]["post"]>>;
}

async function send(method: string, path: string, asked: { path?: unknown; query?: unknown; body?: unknown; text?: string }): Promise<unknown> {
  const body = asked.text ?? (asked.body === undefined ? undefined : JSON.stringify(asked.body));
  const answer = await fetch(address(path, asked.path, asked.query), {
    method,
    headers: body === undefined ? { accept: "application/json" } : { accept: "application/json", "content-type": asked.text === undefined ? "application/json" : "application/yaml" },
    body,
    signal: AbortSignal.timeout(15_000),
  });
  if (answer.status === 204) return undefined;
  const said: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return said;
  if (answer.status === 401 && path !== "/api/v1/login") shownOut();
  const detail = typeof said === "object" && said !== null && "detail" in said ? String(said.detail) : "";
  const problems = typeof said === "object" && said !== null && "problems" in said && Array.isArray(said.problems) ? said.problems.map(String) : [];
  throw new Problem(answer.status, detail || answer.statusText, problems);
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
