// The status page: what lives now, and the newest tickets with their transcripts. It asks again whenever the feed
// says that something changed, and every few seconds in any case.
const PHASES = { arrived: "呼入", in_ivr: "语音导航", queued: "排队中", ringing: "振铃", talking: "通话中", closing: "结束中", ended: "已结束" };
const STATES = { ready: "就绪", unreachable: "话机离线", offered: "振铃", talking: "通话", wrap_up: "话后", paused: "小休" };
const PARTIES = { citizen: "市民", operator: "话务员", expert: "专家" };
const QUEUES = { general: "综合" };
const TICKETS = { draft: "草稿", registered: "已受理", discarded: "无效", closed_direct: "直接办结" };
const ROLES = { operator: "话务员", expert: "专家", supervisor: "班长", dispatcher: "派单员", unit: "承办单位", qa: "质检员", administrator: "系统管理员", auditor: "审计员" };
// What a section needs; a role that may not see it is not shown an empty one.
const NEEDS = { calls: "calls.watch", seats: "seats.watch", queues: "queues.watch", tickets: "tickets.read" };
const EVERY_MS = 3000;

const $ = (id) => document.getElementById(id);
const make = (tag, text = "", cls = "") => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (cls) made.className = cls;
  return made;
};
const clock = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
};
const since = (moment) => (Date.now() - Date.parse(moment)) / 1000;
const when = (moment) => new Date(moment).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });

let may = new Set();
async function get(path, permission = "") {
  if (permission && !may.has(permission)) return null;
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (answer.status === 401) location.replace("/login");
  if (answer.status >= 500) throw new Error(path);
  return answer.ok ? answer.json() : null;
}

function fill(id, rows, columns) {
  const body = $(id);
  body.replaceChildren(...rows.map((cells) => {
    const row = make("tr");
    row.append(...cells.map((cell) => {
      const td = make("td");
      td.append(cell instanceof Node ? cell : String(cell ?? ""));
      return td;
    }));
    return row;
  }));
  if (rows.length === 0) {
    const row = make("tr"), none = make("td", "暂无", "none");
    none.colSpan = columns;
    row.append(none);
    body.append(row);
  }
}

const figure = (name, value) => { document.querySelector(`[data-figure=${name}]`).textContent = value; };
const chip = (names, state) => make("span", names[state] ?? state, `state ${state}`);

const reasons = new Map();
async function showFloor() {
  const [calls, seats, queues] = await Promise.all([
    get("/api/v1/calls?live=true&limit=100", NEEDS.calls), get("/api/v1/seats?limit=200", NEEDS.seats), get("/api/v1/queues", NEEDS.queues),
  ]);
  const live = calls?.items ?? [], people = (seats?.items ?? []).filter((seat) => seat.state), waiting = queues?.items ?? [];
  figure("waiting", queues ? waiting.reduce((sum, queue) => sum + queue.waiting + queue.ringing, 0) : live.filter((call) => call.phase === "queued" || call.phase === "ringing").length);
  figure("talking", live.filter((call) => call.phase === "talking").length);
  figure("ready", people.filter((seat) => seat.state === "ready").length);
  figure("seats", people.length);
  fill("calls", live.map((call) => [
    chip(PHASES, call.phase), call.dialled, call.line_name, call.caller || "隐藏", QUEUES[call.queue] ?? call.queue, call.seat, clock(since(call.arrived_at)),
  ]), 7);
  fill("seats", people.map((seat) => [
    seat.seat, seat.name, chip(STATES, seat.state), seat.reachable ? `${seat.phone} 在线` : `${seat.phone} 未注册`, reasons.get(seat.reason) ?? seat.reason ?? "",
  ]), 5);
  fill("queues", waiting.map((queue) => [QUEUES[queue.queue] ?? queue.name ?? queue.queue, queue.waiting, clock(queue.longest_wait_s ?? 0)]), 3);
}

let shown = "";
async function showTickets() {
  const tickets = (await get("/api/v1/tickets?limit=6", NEEDS.tickets))?.items ?? [];
  const stamp = JSON.stringify(tickets);
  if (stamp === shown) return;
  const articles = await Promise.all(tickets.map(article));
  shown = stamp;
  $("tickets").replaceChildren(...(articles.length ? articles : [make("p", "暂无工单")]));
}

async function article(ticket) {
  const made = make("article"), head = make("h3", ticket.number ?? ticket.ticket);
  head.append(
    chip(TICKETS, ticket.state), make("span", `被叫 ${ticket.dialled} ${ticket.line_name}`), make("span", `主叫 ${ticket.caller === null ? "隐藏" : ticket.caller || "未知"}`),
    make("span", ticket.owner_unit ?? ""), make("span", `工号 ${ticket.agent ?? ""}`), make("span", when(ticket.created_at)),
  );
  made.append(head);
  const transcript = ticket.transcript ? await get(`/api/v1/transcripts/${ticket.transcript}`, "transcripts.read") : null;
  if (transcript) {
    if (ticket.transcript_label) made.append(make("p", ticket.transcript_label, "label"));
    const lines = make("ol");
    lines.append(...transcript.segments.map((segment) => {
      const line = make("li", "", segment.party);
      line.append(make("time", clock(segment.start_ms / 1000)), make("b", PARTIES[segment.party] ?? segment.party), make("span", segment.text));
      return line;
    }));
    made.append(lines);
  } else made.append(make("p", ticket.transcript_state === "ready" ? "转写文本不对您开放" : ticket.transcript_note || "转写尚未完成", "label"));
  return made;
}

// Every look at the tickets is written to the audit, so they are asked for only when there is something new.
let running = false, again = false, stale = true;
async function refresh() {
  if (running) { again = true; return; }
  running = true;
  try {
    do {
      again = false;
      const tickets = stale;
      stale = false;
      await Promise.all([showFloor(), tickets ? showTickets() : null]);
    } while (again);
    connected(true);
  } catch {
    stale = true;
    connected(false);
  }
  running = false;
}

function connected(is) {
  const text = is ? "已连接" : "连接中断，正在重试…";
  if ($("link").textContent !== text) $("link").textContent = text;
  $("link").classList.toggle("lost", !is);
}

function open(me) {
  may = new Set(me.permissions);
  const roles = me.roles.map((role) => ROLES[role] ?? role).join("、");
  $("who").textContent = me.name in ROLES ? roles : `${me.name} · ${roles}`;
  for (const [name, permission] of Object.entries(NEEDS)) $(`s-${name}`).hidden = !may.has(permission);
  for (const [name, permission] of Object.entries({ waiting: NEEDS.queues, talking: NEEDS.calls, ready: NEEDS.seats, seats: NEEDS.seats })) {
    document.querySelector(`[data-figure=${name}]`).parentElement.hidden = !may.has(permission);
  }
  $("figures").hidden = !$("figures").querySelector(":scope > :not([hidden])");
}

async function start() {
  const me = await get("/api/v1/me");
  if (!me) return;
  open(me);
  for (const reason of (await get("/api/v1/pause-reasons", NEEDS.seats))?.items ?? []) reasons.set(reason.code, reason.zh);
  const feed = new EventSource("/api/v1/feed");
  feed.onmessage = (event) => {
    const kinds = JSON.parse(event.data).kinds;
    stale ||= kinds.includes("tickets");
    if (kinds.some((kind) => kind !== "words")) refresh();
  };
  feed.onopen = () => { stale = true; refresh(); };
  feed.onerror = () => connected(false);
  const timer = setInterval(refresh, EVERY_MS);
  $("logout").addEventListener("click", async () => {
    clearInterval(timer);
    feed.close();
    await fetch("/api/v1/logout", { method: "POST" }).catch(() => null);
    location.replace("/login");
  });
  refresh();
}

start().catch(() => { connected(false); setTimeout(() => location.reload(), EVERY_MS); });
