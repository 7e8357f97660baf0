/**
 * The page of buddy: a talk, what was felt in it, and help when it is needed.
 *
 * The talk lives in `sessionStorage` of this tab. What people or the server write is put on the screen as text, never
 * as HTML.
 */

const SENT_TURNS = 65; // of the talk, the latest; buddy reads no further back
const SENT_LETTERS = 50_000; // of these turns; the server takes 60,000
const LONGEST = 10_000; // letters of a message that the server takes
const BUSY = [429, 503];
const ALWAYS = "day and night"; // the hours of a line that never closes
const NEAR_END = 90; // pixels: so close to the end the log follows what is written
const LONGEST_WAIT = 30; // seconds between two tries to reach the server
const STEADY = { valence: 0, arousal: 0 };
const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {object} Turn
 * @property {"user"|"assistant"} role
 * @property {string} content
 * @property {string} at  when it was written
 * @property {{label: string, probability: number, top?: object[]}} [emotion]  of a user's turn
 * @property {string} [failed]  why a user's turn has no reply
 * @property {boolean} [refused]  by the server: it will not be sent again along with others
 * @property {string} [kind]  of a reply
 * @property {"stopped"|"lost"} [cut]  why a reply is not whole
 */

const byId = (id) => document.getElementById(id);

/** Wait; a signal that aborts ends it at once. */
function sleep(seconds, signal) {
  return new Promise((done) => {
    setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", done, { once: true });
  });
}

const state = {
  settings: { name: "buddy", model: "buddy", key_needed: false, emotions: {} },
  /** @type {Turn[]} */ turns: [],
  safety: null, // the gravest that was found, with every line that was given
  key: "",
  running: null, // what stops the reply that is coming
};

/** What is on the screen for a turn. @type {WeakMap<Turn, Record<string, HTMLElement>>} */
const views = new WeakMap();

// --- what is kept ---

/** A browser may forbid storage; then the page works and forgets. */
function stored(where, name) {
  try {
    return window[where].getItem(name);
  } catch {
    return null;
  }
}

function store(where, name, value) {
  try {
    window[where].setItem(name, value);
  } catch {
    // Full or forbidden: the talk goes on, a reload loses it.
  }
}

function keepTalk() {
  store("sessionStorage", "buddy.talk", JSON.stringify({ turns: state.turns, safety: state.safety }));
  const empty = !state.turns.length;
  byId("export").disabled = byId("erase").disabled = empty;
  byId("hello").hidden = !empty;
}

function restoreTalk() {
  try {
    const kept = JSON.parse(stored("sessionStorage", "buddy.talk")) ?? {};
    state.turns = (kept.turns ?? []).filter((turn) => turn.role === "user" || turn.content);
    state.safety = kept.safety ?? null;
  } catch {
    state.turns = [];
  }
  // The page was left while a message waited for its reply.
  const last = state.turns.at(-1);
  if (last?.role === "user") last.failed ??= "This message has no reply yet.";
  state.key = stored("sessionStorage", "buddy.key") ?? "";
}

// --- small things for the screen ---

/** Make an element. Strings among the children become text. */
function make(tag, { data, on, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (data) element.dataset.testid = data;
  for (const [event, act] of Object.entries(on ?? {})) element.addEventListener(event, act);
  element.append(...children);
  return element;
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function face() {
  return byId("face").content.firstElementChild.cloneNode(true);
}

/** Bend the mouth: it smiles with the glad, and is only kind with the sad. */
function smile(svg, valence) {
  const bend = 33.2 + 3 * Math.max(0, valence);
  svg.querySelector(".face-mouth").setAttribute("d", `M19 31.5Q24 ${bend.toFixed(1)} 29 31.5`);
}

const percent = (share) => `${Math.round(share * 100)}%`;

/** Tell screen readers, and take it away once it is read. */
function announce(textContent) {
  const line = make("p", { textContent });
  byId("announcer").append(line);
  setTimeout(() => line.remove(), 20_000);
}

function showState() {
  byId("state").textContent = state.running ? "listening closely" : byId("banner").hidden ? "here to listen" : "out of reach";
}

// --- colours of feelings ---

/** Around the plane of feelings, angles and hues: calm is green, glad is golden, upset is red, hurt is plum, low is blue. */
const HUES = [
  [-135, 265],
  [-45, 155],
  [-20, 140],
  [5, 92],
  [45, 60],
  [135, 22],
  [170, -45],
  [225, -95],
];
const WARM = { hue: 47, tone: 0.8 }; // the room before anything was felt

/** Give the hue of a feeling: its angle between pleasant and excited; arousal is stretched, as words differ less in it. */
function hueOf({ valence, arousal }) {
  const angle = (Math.atan2(1.5 * arousal, valence) * 180) / Math.PI;
  const turned = angle < -135 ? angle + 360 : angle;
  const next = HUES.findIndex(([corner], at) => at && turned <= corner);
  const [[from, hue], [to, nextHue]] = [HUES[next - 1], HUES[next]];
  return hue + ((turned - from) / (to - from)) * (nextHue - hue);
}

/** How much colour a feeling has: the middle of the plane is grey. */
const toneOf = ({ valence, arousal }) => Math.min(1, 0.25 + 1.2 * Math.hypot(valence, arousal));

const affectOf = (label) => state.settings.emotions[label] ?? STEADY;

function tint(element, label) {
  const affect = affectOf(label);
  element.classList.add("tinted");
  element.style.setProperty("--hue", hueOf(affect).toFixed(1));
  element.style.setProperty("--tone", toneOf(affect).toFixed(2));
  return element;
}

/** Mean valence of the likeliest emotions: an unsure guess lies nearer to the middle than a sure one. */
function valenceOf(emotion) {
  const top = emotion.top?.length ? emotion.top : [emotion];
  const total = top.reduce((sum, guess) => sum + guess.probability, 0) || 1;
  return top.reduce((sum, guess) => sum + guess.probability * affectOf(guess.label).valence, 0) / total;
}

/** Light the room, and buddy's face above, in the colour of the latest feeling. */
function lightRoom() {
  const emotion = felt().at(-1)?.emotion;
  const affect = emotion && affectOf(emotion.label);
  const { hue, tone } = affect ? { hue: hueOf(affect), tone: toneOf(affect) } : WARM;
  const { style } = document.documentElement;
  const now = Number(style.getPropertyValue("--mood-hue")) || WARM.hue;
  // The short way around the circle of hues.
  style.setProperty("--mood-hue", (now + ((((hue - now) % 360) + 540) % 360) - 180).toFixed(1));
  style.setProperty("--mood-tone", tone.toFixed(2));
  for (const svg of document.querySelectorAll(".brand-face .face, .hello-face .face")) smile(svg, affect?.valence ?? 0.8);
}

// --- turns on the screen ---

const felt = () => state.turns.filter((turn) => turn.role === "user" && turn.emotion);

function showTurn(turn) {
  const mine = turn.role === "user";
  const text = make("p", { className: "text", textContent: turn.content });
  const note = make("p", { className: "note", hidden: true });
  const who = make("span", { className: "unseen", textContent: mine ? "You: " : `${state.settings.name}: ` });
  const body = make("div", { className: "body" }, who, text, note);
  const item = make("li", { className: `turn ${mine ? "mine" : "theirs"}`, data: mine ? "message-user" : "message-buddy" });
  if (!mine) item.append(make("span", { className: "turn-face" }, face()));
  item.append(body);
  views.set(turn, { item, text, note });
  byId("log").append(item);
  if (mine) showEmotion(turn);
  else showReply(turn);
  showNote(turn);
}

function showReply(turn) {
  const { item, text } = views.get(turn);
  text.textContent = turn.content;
  item.classList.toggle("is-crisis", turn.kind === "crisis");
  const asked = state.turns[state.turns.indexOf(turn) - 1];
  if (!asked?.emotion) return;
  const portrait = tint(item.querySelector(".turn-face"), asked.emotion.label);
  smile(portrait.firstElementChild, affectOf(asked.emotion.label).valence);
}

/** Say below a turn what went wrong, with a way on. */
function showNote(turn) {
  const { note, item } = views.get(turn);
  const words = turn.failed ?? { stopped: "stopped", lost: "The connection broke off here." }[turn.cut];
  item.classList.toggle("is-failed", Boolean(turn.failed));
  note.hidden = !words;
  if (!words) return;
  const mine = turn.role === "user";
  note.replaceChildren(words, wayOn(mine ? "Send again" : "Ask again", () => askAgain(turn)));
  if (mine) note.append(wayOn("Edit", () => takeBack(turn)));
}

function wayOn(textContent, click) {
  return make("button", { type: "button", className: "plain again", textContent, on: { click } });
}

function removeTurn(turn) {
  views.get(turn)?.item.remove();
  state.turns = state.turns.filter((other) => other !== turn);
  keepTalk();
}

/** Follow the talk to its end, unless somebody has scrolled up to read. */
function following(change, always = false) {
  const talk = byId("talk");
  const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < NEAR_END;
  change();
  if (atEnd || always) talk.scrollTop = talk.scrollHeight;
}

// --- emotions ---

let chips = 0;

function showEmotion(turn) {
  const { item, text, note } = views.get(turn);
  item.querySelector(".heard")?.remove();
  const emotion = turn.emotion;
  if (!emotion) return;
  tint(text, emotion.label);
  const bars = make("div", { className: "bars", id: `bars-${++chips}`, data: "emotion-bars", hidden: true }, ...barsOf(emotion));
  const chip = makeChip(emotion, bars);
  note.before(make("div", { className: "heard" }, chip, bars));
}

function makeChip(emotion, bars) {
  const { label, probability } = emotion;
  const chip = make(
    "button",
    { type: "button", className: "chip", data: "emotion-chip", ariaExpanded: "false" },
    make("span", { className: "chip-dot" }),
    make("span", { className: "unseen", textContent: "Heard in this: " }),
    label,
    make("span", { className: "chip-share", textContent: percent(probability) }),
  );
  chip.setAttribute("aria-controls", bars.id);
  // A press of the mouse focuses first and clicks then: without this the click would close what the focus had opened.
  let pressed = false;
  chip.addEventListener("pointerdown", () => (pressed = true));
  chip.addEventListener("focus", () => pressed || openBars(chip));
  chip.addEventListener("click", () => {
    pressed = false;
    if (chip.ariaExpanded === "true") closeBars();
    else openBars(chip);
  });
  chip.addEventListener("blur", () => {
    pressed = false;
    closeBars();
  });
  return tint(chip, label);
}

function barsOf({ label, probability, top }) {
  const guesses = top?.length ? top.slice(0, 3) : [{ label, probability }];
  const rows = guesses.map((guess) => {
    const fill = make("span", { className: "bar-fill" });
    fill.style.setProperty("--share", guess.probability);
    const bar = make("span", { className: "bar" }, fill);
    const share = make("span", { className: "bar-share", textContent: percent(guess.probability) });
    return tint(make("li", {}, make("span", { className: "bar-label", textContent: guess.label }), bar, share), guess.label);
  });
  return [make("p", { textContent: "What I hear in it" }), make("ul", {}, ...rows)];
}

function openBars(chip) {
  closeBars();
  chip.ariaExpanded = "true";
  const bars = chip.nextElementSibling;
  bars.hidden = false;
  bars.scrollIntoView({ block: "nearest" });
}

function closeBars() {
  for (const chip of document.querySelectorAll('.chip[aria-expanded="true"]')) {
    chip.ariaExpanded = "false";
    chip.nextElementSibling.hidden = true;
  }
}

// --- the mood line ---

function showMood() {
  const turns = felt();
  byId("mood").classList.toggle("is-empty", !turns.length);
  showMoodWords(turns);
  const svg = byId("mood-line");
  const { clientWidth: width, clientHeight: height } = svg;
  const points = placePoints(turns, width, height);
  const parts = [draw("line", { class: "mood-middle", x1: 0, x2: width, y1: height / 2, y2: height / 2 })];
  if (!points.length) parts.push(draw("path", { class: "mood-dream", d: "M8 92C50 122 80 124 122 84S200 88 262 48" }));
  if (points.length > 1) parts.push(gradientOf(points), draw("path", { class: "mood-path", d: curve(points), stroke: "url(#mood-ink)" }));
  parts.push(...points.map(makePoint));
  if (points.at(-1)?.radius > 5) parts.push(nameLast(points.at(-1), points.at(-2) ?? { y: height / 2 }, width));
  svg.replaceChildren(...parts);
  svg.ariaLabel = points.length ? `Mood line of ${points.length} messages, from first to last` : "Mood line: nothing yet";
  lightRoom();
}

/** From left to right in even steps, smaller ones once they fill the width. */
function placePoints(turns, width, height) {
  const [side, edge] = [12, 6 + height / 8];
  const step = Math.min(54, (width - 2 * side) / Math.max(1, turns.length - 1));
  const radius = Math.max(2.5, Math.min(6, step / 4));
  return turns.map((turn, at) => {
    const valence = valenceOf(turn.emotion);
    return { turn, at, valence, radius, x: side + at * step, y: height / 2 - valence * (height / 2 - edge) };
  });
}

/** A line through all points that is level at each of them, so that it never swings beyond what was felt. */
function curve(points) {
  return points.reduce((path, { x, y }, at) => {
    if (!at) return `M${x} ${y}`;
    const before = points[at - 1];
    const half = (before.x + x) / 2;
    return `${path}C${half} ${before.y} ${half} ${y} ${x} ${y}`;
  }, "");
}

function gradientOf(points) {
  const [first, last] = [points[0], points.at(-1)];
  const stops = points.map(({ turn, x }) =>
    tint(draw("stop", { class: "mood-stop", offset: ((x - first.x) / (last.x - first.x)).toFixed(3) }), turn.emotion.label),
  );
  return draw("linearGradient", { id: "mood-ink", gradientUnits: "userSpaceOnUse", x1: first.x, x2: last.x, y1: 0, y2: 0 }, ...stops);
}

function makePoint({ turn, at, x, y, radius }) {
  const { label, probability } = turn.emotion;
  const name = `${at + 1}: ${label}, ${percent(probability)}`;
  const dot = draw("circle", { class: "mood-dot", cx: x, cy: y, r: radius, "stroke-width": radius / 3 });
  const reach = draw("circle", { class: "mood-reach", cx: x, cy: y, r: 12 });
  const point = draw("g", { class: "mood-point", role: "listitem", "aria-label": name }, draw("title", {}, name), reach, dot);
  return tint(point, label);
}

/** Write the latest emotion on the side of its point that the line does not come from; while there is room. */
function nameLast({ turn, x, y, radius }, before, width) {
  const { label } = turn.emotion;
  const end = x > width / 2;
  const place = { x: end ? x + radius : x - radius, y: y > before.y ? y + radius + 14 : y - radius - 7 };
  return tint(draw("text", { class: "mood-name", ...place, "text-anchor": end ? "end" : "start", "aria-hidden": "true" }, label), label);
}

function showMoodWords(turns) {
  const name = (turn) => tint(make("b", { textContent: turn.emotion.label }), turn.emotion.label);
  const [first, last] = [turns[0], turns.at(-1)];
  const words = !last
    ? ["It grows here as you talk."]
    : first.emotion.label === last.emotion.label
      ? [turns.length > 1 ? "Again " : "So far: ", name(last)]
      : ["From ", name(first), " to ", name(last)];
  if (state.turns.some(({ kind }) => kind === "crisis")) words.push(", a crisis apart");
  byId("mood-words").replaceChildren(...words);
}

// --- help in a crisis ---

/** Keep the gravest level of the talk and every line that was given, the latest first: help is not taken away again. */
function hearSafety(safety) {
  if (!safety) return;
  if (safety.emergency) showFoot(safety.emergency);
  if (!["concern", "alarm"].includes(safety.level)) {
    if (isNarrow()) foldCrisis(true); // the talk goes on, and needs the room
    return;
  }
  const before = state.safety;
  const lines = safety.resources ?? [];
  const older = (before?.resources ?? []).filter((old) => !lines.some(({ name }) => name === old.name));
  const graver = before?.level === "alarm" && safety.level === "concern" ? before : safety;
  state.safety = { ...graver, emergency: safety.emergency ?? before?.emergency, resources: [...lines, ...older].slice(0, 6) };
  showCrisis();
  foldCrisis(false);
  announce(`${byId("crisis-title").textContent} ${byId("crisis-short").textContent}`);
}

function crisisTitle({ level, category }) {
  if (category === "medical") return "Please get help now.";
  if (category === "violence") return "You deserve to be safe.";
  return level === "alarm" ? "You don’t have to be alone with this." : "If it gets too much, people are there.";
}

/** A fault in the card must not cost the reply. */
function showCrisis() {
  try {
    drawCrisis(state.safety);
  } catch (problem) {
    console.error(problem);
  }
}

function drawCrisis(safety) {
  const card = byId("crisis");
  card.hidden = !safety;
  if (!safety) return;
  card.classList.toggle("is-alarm", safety.level === "alarm");
  byId("crisis-title").textContent = crisisTitle(safety);
  byId("crisis-now").replaceChildren("In danger now? Call ", ...numbersOf(safety.emergency));
  byId("crisis-short").replaceChildren(...shortHelp(safety));
  byId("crisis-lines").replaceChildren(...safety.resources.map(makeLine));
}

/** What stays in sight while the card is folded: the line that fits best and, if it may be closed, one that is not. */
function shortHelp({ resources, emergency }) {
  const lines = resources.filter(({ number }) => number);
  const always = lines.find(({ hours }) => hours === ALWAYS);
  const shown = lines.filter((line, at) => !at || line === always);
  const talk = shown.flatMap((line) => ["Talk: ", callLink(line.number), limitOf(line), " · "]);
  return [...talk, "Danger: ", ...numbersOf(emergency)];
}

/** When a line is open, or else whom it is for: " (young people)" stands in its name. */
function limitOf({ name, hours }) {
  return (hours === ALWAYS ? name.match(/ \(.*\)/)?.[0] : hours && ` (${hours})`) || "";
}

function makeLine({ name, number, text, url, hours }) {
  const open = hours && make("span", { textContent: hours });
  const ways = [number && callLink(number, "Call "), text && textLink(text), open, webLink(url)].filter(Boolean);
  return make("li", {}, make("strong", { textContent: name }), make("span", { className: "ways" }, ...ways));
}

/** "911 or 107 (ambulance)", or a list of such, as links with words between them. */
function numbersOf(emergency) {
  const all = [emergency ?? []].flat().flatMap((some) => String(some).split(" or "));
  return all.flatMap((one, at) => [at ? " or " : "", callLink(one)]);
}

/** A link that dials the number with which words begin; else the words. */
function callLink(words, before = "") {
  const [, number, rest] = words.match(/^(\+?\d[\d ./-]*\d)(?![-\w])(.*)$/) ?? [];
  if (!number) return make("span", { textContent: before + words });
  const link = make("a", { href: `tel:${number.replace(/[^+\d]/g, "")}`, textContent: before + number });
  return rest ? make("span", {}, link, rest) : link;
}

/** "HOME to 741741" opens the message; anything else stands as it is. */
function textLink(words) {
  const [, body, number] = words.match(/^(?:text\s+)?(?:(\w+) to )?(\d[\d ]*\d)$/i) ?? [];
  if (!number) return make("span", { textContent: words });
  const href = `sms:${number.replaceAll(" ", "")}${body ? `?body=${encodeURIComponent(body)}` : ""}`;
  return make("a", { href, textContent: `Text ${body ? `${body} to ` : ""}${number}` });
}

function webLink(url) {
  try {
    const { protocol, hostname } = new URL(url);
    if (!/^https?:$/.test(protocol)) return null;
    return make("a", { href: url, target: "_blank", rel: "noopener noreferrer", textContent: hostname.replace(/^www\./, "") });
  } catch {
    return null;
  }
}

const isNarrow = () => matchMedia("(max-width: 899px)").matches;

function foldCrisis(folded) {
  byId("crisis").classList.toggle("is-folded", folded);
  byId("crisis-body").hidden = folded;
  byId("crisis-fold").ariaExpanded = String(!folded);
}

function showFoot(emergency) {
  byId("foot-numbers").replaceChildren(...numbersOf(emergency));
}

// --- asking the server ---

/** An answer that is no reply. */
class Refusal extends Error {
  constructor(message, status, pause) {
    super(message);
    Object.assign(this, { status, pause });
  }
}

/** The latest turns that fit: what got lost goes along with the next message, what was refused does not. */
function messagesToSend() {
  const turns = state.turns.filter((turn) => turn.content && !turn.refused).slice(-SENT_TURNS);
  let room = SENT_LETTERS;
  const fitting = turns.reverse().filter(({ content }) => (room -= content.length) >= 0);
  return fitting.reverse().map(({ role, content }) => ({ role, content }));
}

function headers() {
  return { "Content-Type": "application/json", ...(state.key && { Authorization: `Bearer ${state.key}` }) };
}

async function post(signal) {
  const body = JSON.stringify({ model: state.settings.model, stream: true, messages: messagesToSend() });
  const response = await fetch("/v1/chat/completions", { method: "POST", headers: headers(), body, signal });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const message = problem.error?.message ?? `The server answered ${response.status}.`;
  const pause = Math.min(60, Number.parseInt(response.headers.get("Retry-After"), 10) || 3);
  throw new Refusal(message, response.status, pause);
}

/** Ask; once for the key if it is missing or wrong, and once again after a pause if buddy is busy. */
async function ask(reply, signal) {
  for (const tried = new Set(); ; ) {
    try {
      return await post(signal);
    } catch (problem) {
      const { status, pause } = problem;
      if (tried.has(status)) throw problem;
      tried.add(status);
      if (BUSY.includes(status)) await countDown(reply, pause, signal);
      else if (status !== 401 || !(await askForKey(state.key && "This key does not fit. Is it the right one?"))) throw problem;
    }
  }
}

async function countDown(reply, seconds, signal) {
  announce(`${state.settings.name} is busy. Trying again in ${seconds} seconds.`);
  for (let left = seconds; left > 0; left--) {
    waitingWords(reply, `busy with somebody else; trying again in ${left} s`);
    await sleep(1, signal);
    signal.throwIfAborted();
  }
  waitingWords(reply, "");
}

function waitingWords(reply, words) {
  const { item, text } = views.get(reply);
  text.textContent = words;
  item.classList.toggle("is-queued", Boolean(words));
}

/** Give the events of a stream, one parsed object after the other. */
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
      if (data === "[DONE]") return;
      if (data) yield JSON.parse(data);
    }
  }
}

/** Read a reply to its end. A stream that ends without saying so has broken off. */
async function readReply(turn, reply, response) {
  let finished = false;
  for await (const event of eventsOf(response)) {
    if (event.error) throw new Refusal(event.error.message, 500);
    if (event.buddy) hearReading(turn, reply, event.buddy);
    const choice = event.choices?.[0];
    if (choice?.delta?.content) addPiece(reply, choice.delta.content);
    finished ||= Boolean(choice?.finish_reason);
  }
  if (!finished) throw new TypeError("The stream broke off.");
}

/** What buddy heard comes before its first word. */
function hearReading(turn, reply, { kind, emotion, safety }) {
  reply.kind = kind;
  turn.emotion = (kind === "reply" && emotion) || undefined;
  following(() => {
    showEmotion(turn);
    showReply(reply);
    hearSafety(safety);
    showMood();
  });
  keepTalk();
}

function addPiece(reply, piece) {
  reply.content += piece;
  const { item, text } = views.get(reply);
  item.classList.remove("is-waiting");
  following(() => (text.textContent = reply.content));
}

// --- a message and its reply ---

function send(content) {
  const turn = { role: "user", content, at: new Date().toISOString() };
  state.turns.push(turn);
  keepTalk();
  following(() => showTurn(turn), true);
  return answer(turn);
}

async function answer(turn) {
  delete turn.failed;
  delete turn.refused;
  showNote(turn);
  const reply = { role: "assistant", content: "", at: new Date().toISOString() };
  state.turns.push(reply);
  following(() => showTurn(reply), true);
  views.get(reply).item.classList.add("is-waiting");
  const running = new AbortController();
  setRunning(running);
  try {
    await readReply(turn, reply, await ask(reply, running.signal));
    endReply(turn, reply);
  } catch (problem) {
    endReply(turn, reply, problem, running.signal.aborted);
  } finally {
    if (state.running === running) setRunning(null);
  }
}

/** However the reply ended: what has arrived stays, and a message without reply can be sent again. */
function endReply(turn, reply, problem, stopped) {
  if (!state.turns.includes(reply)) return; // erased meanwhile
  views.get(reply).item.classList.remove("is-waiting", "is-queued");
  if (problem && reply.content) reply.cut = stopped ? "stopped" : "lost";
  else if (!reply.content) {
    turn.failed = stopped ? "You stopped before a reply came." : wordsFor(problem);
    turn.refused = [400, 413, 422].includes(problem?.status);
    removeTurn(reply);
    following(() => showNote(turn));
  }
  following(() => views.get(reply).item.isConnected && showNote(reply));
  keepTalk();
  if (problem instanceof TypeError) watchServer();
  announceReply(turn, reply);
}

function announceReply(turn, reply) {
  const { name } = state.settings;
  const heard = turn.emotion ? `Heard: ${turn.emotion.label}, ${percent(turn.emotion.probability)}. ` : "";
  const end = { stopped: " Stopped here.", lost: " The connection broke off here." }[reply.cut] ?? "";
  announce(turn.failed ?? `${heard}${name}: ${reply.content}${end}`);
}

function wordsFor(problem) {
  const { name } = state.settings;
  if (BUSY.includes(problem?.status)) return `${name} is still busy. Your message is kept.`;
  if (problem?.status === 401) return "Not sent: a key is needed.";
  if (problem?.status) return `Not answered: ${problem.message}`;
  if (problem instanceof TypeError) return `${name} could not be reached. Your message is kept.`;
  return `${name} found nothing to say.`;
}

function setRunning(running) {
  const stopHadFocus = document.activeElement === byId("stop");
  state.running = running;
  byId("stop").hidden = !running;
  byId("send").hidden = Boolean(running);
  document.body.classList.toggle("is-running", Boolean(running));
  showState();
  if (stopHadFocus) byId("input").focus();
}

function stop() {
  state.running?.abort();
}

/** Ask once more for the reply to a message, or in place of a reply that broke off. */
function askAgain(turn) {
  if (state.running) return;
  const asked = turn.role === "user" ? turn : state.turns[state.turns.indexOf(turn) - 1];
  if (turn !== asked) removeTurn(turn);
  byId("input").focus();
  answer(asked);
}

/** Put a message that failed back into the box. */
function takeBack(turn) {
  if (state.running) return;
  removeTurn(turn);
  const input = byId("input");
  input.value = [turn.content, input.value].filter(Boolean).join("\n");
  fitInput();
  input.focus();
  showMood();
}

// --- reaching the server ---

let watching = null;
let wake = () => {};

async function isReady() {
  try {
    const response = await fetch("/ready", { headers: headers(), cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (response.ok) return "ready";
    const problem = await response.json().catch(() => ({}));
    return problem.error?.code === "busy" ? "ready" : "starting"; // who is busy is there: what is sent waits its turn
  } catch {
    return "away";
  }
}

/** Show a banner while the server is away, and try it again and again, more and more rarely. */
function watchServer() {
  watching ??= waitForServer().finally(() => (watching = null));
  return watching;
}

async function waitForServer() {
  let shown = false;
  for (let wait = 1; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
    const found = await isReady();
    if (found === "ready") break;
    if (!shown) announce(`${state.settings.name} cannot be reached.`);
    shown = true;
    if (await pause(found, wait)) wait = 0.5;
  }
  if (!shown) return;
  byId("banner").hidden = true;
  showState();
  announce(`${state.settings.name} is back.`);
}

/** Wait behind a banner; tells whether somebody cut it short. */
async function pause(found, seconds) {
  const { name } = state.settings;
  const words = { starting: `${name} is still waking up.`, away: navigator.onLine ? `${name} is out of reach.` : "You are offline." }[found];
  const woken = new Promise((done) => (wake = () => done(true)));
  byId("banner").hidden = false;
  showState();
  for (let left = seconds; left > 0; left--) {
    byId("banner-text").textContent = `${words} Your words are kept. Next try in ${Math.ceil(left)} s.`;
    if (await Promise.race([woken, sleep(Math.min(1, left))])) return true;
  }
  return false;
}

async function loadSettings() {
  for (;;) {
    try {
      const response = await fetch("/page/settings.json", { headers: headers() });
      if (response.ok) return Object.assign(state.settings, await response.json());
    } catch {
      await watchServer();
    }
    await sleep(1); // where the server is there and gives no settings, do not run hot
  }
}

// --- dialogs ---

/** Ask for the key; `true` once there is one. */
function askForKey(complaint) {
  const dialog = byId("key-dialog");
  byId("key-text").textContent = complaint || "This buddy answers only with a key. This tab keeps it until you erase the talk.";
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === "given");
    dialog.returnValue = "";
  });
}

function takeKey(event) {
  event.preventDefault();
  // A header carries nothing but plain characters.
  state.key = byId("key").value.replace(/[^\x21-\x7e]/g, "");
  store("sessionStorage", "buddy.key", state.key);
  byId("key").value = "";
  byId("key-dialog").close("given");
}

function askToErase() {
  const keyToo = state.settings.key_needed ? ", and the key too" : "";
  byId("erase-text").textContent = `Every message and feeling on this page goes${keyToo}. This cannot be undone.`;
  byId("erase-dialog").showModal();
}

function erase() {
  stop();
  Object.assign(state, { turns: [], safety: null, key: "" });
  byId("input").value = "";
  byId("announcer").replaceChildren();
  showAll();
  try {
    sessionStorage.clear();
  } catch {
    // Nothing was kept either.
  }
  byId("erase-dialog").close();
  fitInput();
  byId("input").focus();
  announce("The talk is erased.");
}

// --- export and theme ---

function exportTalk() {
  const { name, model } = state.settings;
  const date = new Date().toISOString();
  const turns = state.turns.map(({ role, content, at, emotion, kind, cut }) => ({ role, content, at, emotion, kind, cut }));
  const file = new Blob([JSON.stringify({ name, model, date, turns }, null, 2)], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(file), download: `${name}-talk-${date.slice(0, 10)}.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  announce("The talk is saved as a file.");
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");

/** The theme that the button switches to. */
function otherTheme() {
  const now = document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light");
  return now === "dark" ? "light" : "dark";
}

function showTheme() {
  const other = otherTheme();
  const button = byId("theme");
  button.ariaLabel = button.title = `Switch to ${other}`;
  button.querySelector("use").setAttribute("href", other === "dark" ? "#i-moon" : "#i-sun");
}

function setTheme(name) {
  if (name === "light" || name === "dark") document.documentElement.dataset.theme = name;
  showTheme();
}

function switchTheme() {
  const other = otherTheme();
  store("localStorage", "buddy.theme", other);
  setTheme(other);
}

// --- the box to write in ---

/** Let the box grow with what is written; the style sheet says how far. Nothing is cut: the guard is to read all. */
function fitInput() {
  const input = byId("input");
  input.style.setProperty("height", "auto");
  input.style.setProperty("height", `${input.scrollHeight}px`);
  byId("too-long").hidden = [...input.value.trim()].length <= LONGEST;
}

function submit(event) {
  event?.preventDefault();
  const input = byId("input");
  const content = input.value.trim();
  if (!content || state.running) return;
  if ([...content].length > LONGEST) return announce(byId("too-long").textContent);
  input.value = "";
  fitInput();
  input.focus();
  send(content);
}

function inputKey(event) {
  // While letters are being composed (Japanese, Chinese, accents), Enter takes the suggestion.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  submit(event);
}

function pageKey(event) {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (state.running) stop();
  else closeBars();
}

// --- beginning ---

function showAll() {
  byId("log").replaceChildren();
  state.turns.forEach(showTurn);
  showCrisis();
  foldCrisis(isNarrow());
  if (state.safety?.emergency) showFoot(state.safety.emergency);
  keepTalk();
  showMood();
  byId("talk").scrollTop = byId("talk").scrollHeight;
}

/** Say where the words go: that is another machine if the page came from one. */
function privacyWords() {
  const here = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  const place = here ? "on this machine" : `with ${location.hostname}`;
  return `What you write stays ${place}. This tab keeps the talk: erase it before others use this computer.`;
}

function showSettings() {
  const { name, emergency } = state.settings;
  document.title = byId("name").textContent = byId("foot-name").textContent = name;
  byId("privacy").textContent = privacyWords();
  if (emergency) showFoot(emergency);
}

function listen() {
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  on("write", "submit", submit);
  on("input", "keydown", inputKey);
  on("input", "input", fitInput);
  on("stop", "click", stop);
  on("theme", "click", switchTheme);
  on("export", "click", exportTalk);
  on("erase", "click", askToErase);
  on("erase-yes", "click", erase);
  on("erase-no", "click", () => byId("erase-dialog").close());
  on("key-form", "submit", takeKey);
  on("key-no", "click", () => byId("key-dialog").close());
  on("crisis-fold", "click", () => foldCrisis(!byId("crisis").classList.contains("is-folded")));
  on("try-now", "click", () => wake());
  for (const opener of document.querySelectorAll(".opener")) {
    opener.addEventListener("click", () => state.running || (send(opener.textContent), byId("input").focus()));
  }
  document.addEventListener("keydown", pageKey);
  systemDark.addEventListener("change", showTheme);
  addEventListener("offline", watchServer);
  addEventListener("online", () => wake());
  addEventListener("pagehide", leave);
  new ResizeObserver(showMood).observe(byId("mood-line"));
}

/** A reply that is still coming when the page is left keeps what has arrived. */
function leave() {
  const last = state.turns.at(-1);
  if (!state.running || !last) return;
  last.cut = "lost";
  keepTalk();
}

async function begin() {
  setTheme(stored("localStorage", "buddy.theme"));
  byId("brand-face").append(face());
  byId("hello-face").append(face());
  restoreTalk();
  listen();
  showAll();
  await loadSettings();
  showSettings();
  if (state.settings.key_needed && !state.key) askForKey();
  if (!state.running) showAll();
}

begin();
