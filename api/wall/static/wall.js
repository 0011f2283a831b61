// The page of the wall: one stream in, drawn at most four times a second.
"use strict";

const ROWS = 60, MINUTES = 30, LOUD = 10, KEPT = 50, DRAW_EVERY = 250, SETTLES_IN = 1000;
const TONES = {
  confirmed: "under", paid: "under", shipped: "under", delivered: "good", completed: "good",
  rejected: "bad", cancelled: "bad", expired: "bad", payment_failed: "bad", parcel_lost: "bad",
  held: "wait", payment_action_required: "wait", payment_attempt_failed: "wait",
  cancellation_requested: "wait", return_requested: "wait",
};
const byId = id => document.getElementById(id);
const orders = new Map(), minutes = new Map(), passed = new Map(), loud = new Map();
let changed = false, paused = false, settled = false;

function money(amountMinor, currency) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(amountMinor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const today = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const anyDay = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });
const narrow = matchMedia("(max-width: 40rem)");
const dayOf = date => date.toDateString();

function toTheMinute(name) {
  const begin = new Date(name);
  return (dayOf(begin) === dayOf(new Date()) ? today : anyDay).format(begin);
}

function cell(row, text, figure) {
  const made = row.insertCell();
  if (figure) made.className = "figure";
  made.append(text);
  return made;
}

function status(what) {
  const word = what.replace(/^quire\.order\.|\.v\d+$/g, ""), chip = document.createElement("span");
  chip.className = "status";
  chip.dataset.tone = TONES[word] || "";
  chip.textContent = word.replaceAll("_", " ");
  return chip;
}

function orderRow(order) {
  const row = document.createElement("tr");
  row.dataset.order = order.order_id;
  row.dataset.position = order.position;
  const cut = order.order_id.lastIndexOf("-") + 1, head = document.createElement("span");
  head.className = "head";
  head.textContent = order.order_id.slice(0, cut);
  cell(row, head).append(order.order_id.slice(cut));
  cell(row, status(order.what));
  cell(row, order.total ? money(order.total.amount_minor, order.total.currency) : "", true);
  cell(row, (narrow.matches ? today : clock).format(new Date(order.at)), true);
  return row;
}

function minuteRow(minute, most) {
  const row = document.createElement("tr");
  row.dataset.minute = minute.name;
  row.style.setProperty("--share", `${Math.round(100 * minute.orders / most)}%`);
  cell(row, toTheMinute(minute.name));
  cell(row, minute.orders.toLocaleString(), true);
  const revenue = Object.entries(minute.revenue).map(([currency, amount]) => money(amount, currency));
  cell(row, revenue.join(", "), true);
  return row;
}

function passing(told) {
  const what = told.measure === "orders"
    ? `${told.threshold.toLocaleString()} orders` : `${money(told.threshold, told.currency)} of orders`;
  return `${toTheMinute(told.minute)}: passed ${what} in one minute`;
}

function newest(things, order, count) {
  return [...things.values()].sort(order).slice(0, count);
}

function draw() {
  if (!changed || paused) return;
  changed = false;
  const shown = newest(orders, (a, b) => b.position - a.position, ROWS);
  if (orders.size > 4 * ROWS) {
    orders.clear();
    for (const order of [...shown].reverse()) orders.set(order.order_id, order);
  }
  byId("orders").replaceChildren(...shown.map(orderRow));
  byId("no-orders").hidden = !settled || shown.length > 0;
  const last = newest(minutes, (a, b) => a.name < b.name ? 1 : -1, MINUTES);
  const most = Math.max(1, ...last.map(minute => minute.orders));
  byId("minutes").replaceChildren(...last.map(minute => minuteRow(minute, most)));
  byId("no-minutes").hidden = !settled || last.length > 0;
  const byMinute = (a, b) => a.minute < b.minute ? 1 : a.minute > b.minute ? -1 : b.threshold - a.threshold;
  const newestPassing = newest(passed, byMinute, 1).map(passing).join();
  if (byId("passed").textContent !== newestPassing) byId("passed").textContent = newestPassing;
  byId("attention-title").hidden = loud.size === 0;
  byId("attention").replaceChildren(...[...loud.values()].slice(-LOUD).reverse().map(({ text }) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}

// As many as the wall keeps; one that another life of the wall told before keeps its place.
function keep(things, told) {
  things.set(told.id, told);
  if (things.size > KEPT) things.delete(things.keys().next().value);
}

function say(state, text) {
  byId("state").dataset.state = state;
  byId("state").textContent = text;
}

const stream = new EventSource("/stream");
const hear = (kind, take) => stream.addEventListener(kind, event => {
  take(JSON.parse(event.data));
  changed = true;
});
// That there is nothing is said only where all that there is would have come by now.
function settle(whether) {
  settled = whether;
  changed = true;
}

stream.onopen = () => {
  say("live", "live");
  setTimeout(() => settle(stream.readyState === EventSource.OPEN), SETTLES_IN);
};
stream.onerror = () => {
  settle(false);
  say("lost", stream.readyState === EventSource.CLOSED ? "not connected: load the page again" : "not connected, trying again");
};
hear("order", order => {
  const before = orders.get(order.order_id);
  if (!before || before.position < order.position || before.position === order.position && !before.total) {
    orders.set(order.order_id, order);
  }
});
hear("minute", minute => {
  minutes.set(minute.name, minute);
  if (minutes.size > 2 * MINUTES) minutes.delete([...minutes.keys()].sort()[0]);
});
hear("passed", told => keep(passed, told));
hear("attention", told => keep(loud, told));

byId("pause").addEventListener("click", event => {
  paused = !paused;
  event.target.dataset.paused = paused;
  event.target.textContent = paused ? "Go on" : "Pause";
  changed = true;
});
narrow.addEventListener("change", () => { changed = true; });
setInterval(draw, DRAW_EVERY);
