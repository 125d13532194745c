// The status page: what lives now, and the newest tickets with their transcripts. It asks again whenever the feed
// says that something changed, and every few seconds in any case.
const PHASES = { arrived: "呼入", in_ivr: "语音导航", queued: "排队中", ringing: "振铃", talking: "通话中", closing: "结束中", ended: "已结束" };
const STATES = { ready: "就绪", offered: "振铃", talking: "通话", wrap_up: "话后", paused: "小休" };
const PARTIES = { citizen: "市民", operator: "话务员", expert: "专家" };
const QUEUES = { general: "综合" };
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

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (answer.status === 401) location.replace("/login");
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

async function showFloor() {
  const [calls, seats, queues] = await Promise.all([
    get("/api/v1/calls?live=true&limit=100"), get("/api/v1/seats?limit=200"), get("/api/v1/queues"),
  ]);
  const live = calls?.items ?? [], people = (seats?.items ?? []).filter((seat) => seat.state), waiting = queues?.items ?? [];
  figure("waiting", live.filter((call) => call.phase === "queued" || call.phase === "ringing").length);
  figure("talking", live.filter((call) => call.phase === "talking").length);
  figure("ready", people.filter((seat) => seat.state === "ready").length);
  figure("seats", people.length);
  fill("calls", live.map((call) => [
    chip(PHASES, call.phase), call.dialled, call.line_name, call.caller || "隐藏", QUEUES[call.queue] ?? call.queue, call.seat, clock(since(call.arrived_at)),
  ]), 7);
  fill("seats", people.map((seat) => [
    seat.seat, chip(STATES, seat.state), seat.reachable ? `${seat.phone} 在线` : `${seat.phone} 未注册`, seat.reason ?? "",
  ]), 4);
  fill("queues", waiting.map((queue) => [QUEUES[queue.queue] ?? queue.name ?? queue.queue, queue.waiting, clock(queue.longest_wait_s ?? 0)]), 3);
}

let shown = "";
async function showTickets() {
  const tickets = (await get("/api/v1/tickets?limit=6"))?.items ?? [];
  const stamp = JSON.stringify(tickets);
  if (stamp === shown) return;
  const articles = await Promise.all(tickets.map(article));
  shown = stamp;
  $("tickets").replaceChildren(...(articles.length ? articles : [make("p", "暂无工单")]));
}

async function article(ticket) {
  const made = make("article"), head = make("h3", ticket.number ?? ticket.ticket);
  head.append(make("span", `被叫 ${ticket.dialled}`), make("span", ticket.owner_unit ?? ""), make("span", `工号 ${ticket.agent ?? ""}`), make("span", when(ticket.created_at)));
  made.append(head);
  const label = ticket.transcript_label ?? "";
  if (label) made.append(make("p", label, "label"));
  const transcript = ticket.transcript ? await get(`/api/v1/transcripts/${ticket.transcript}`) : null;
  if (transcript) {
    const lines = make("ol");
    lines.append(...transcript.segments.map((segment) => {
      const line = make("li", "", segment.party);
      line.append(make("time", clock(segment.start_ms / 1000)), make("b", PARTIES[segment.party] ?? segment.party), make("span", segment.text));
      return line;
    }));
    made.append(lines);
  } else made.append(make("p", ticket.transcript_note ?? "转写尚未完成", "label"));
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
    $("link").textContent = "已连接";
  } catch {
    stale = true;
    $("link").textContent = "连接中断，正在重试…";
  }
  running = false;
}

const me = await get("/api/v1/me");
if (me) $("who").textContent = me.name;
$("logout").addEventListener("click", async () => { await fetch("/api/v1/logout", { method: "POST" }); location.replace("/login"); });
const feed = new EventSource("/api/v1/feed");
feed.onmessage = (event) => {
  stale ||= JSON.parse(event.data).kinds.includes("tickets");
  refresh();
};
feed.onopen = () => { stale = true; refresh(); };
feed.onerror = () => { $("link").textContent = "连接中断，正在重试…"; };
setInterval(refresh, EVERY_MS);
refresh();

