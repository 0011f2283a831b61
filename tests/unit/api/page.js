// Runs the page's program without a browser: events, and what else happens to a page, in
// as [kind, data] by stdin, what it draws out.
"use strict";

const fs = require("fs"), vm = require("vm");

function element() {
  const made = { dataset: {}, style: { setProperty() {} }, children: [], textContent: "", hidden: false };
  made.append = (...more) => made.children.push(...more);
  made.insertCell = () => { const cell = element(); made.append(cell); return cell; };
  made.replaceChildren = (...more) => { made.children = more; };
  made.addEventListener = (kind, work) => { made[`on${kind}`] = work; };
  return made;
}

const elements = {}, hearing = {};
let draw, stream;
const document = {
  getElementById: id => elements[id] ??= Object.assign(element(), {
    hidden: new RegExp(`<[^>]*id="${id}"[^>]*\\shidden\\b`).test(html),
  }),
  createElement: element,
};
class EventSource {
  constructor() { stream = this; this.readyState = EventSource.CONNECTING; }
  addEventListener(kind, hear) { hearing[kind] = hear; }
}
Object.assign(EventSource, { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
const later = [];
const happening = {
  open() { stream.readyState = EventSource.OPEN; stream.onopen(); },
  lost() { stream.readyState = EventSource.CONNECTING; stream.onerror(); },
  later() { for (const work of later.splice(0)) work(); },
  pause() { elements.pause.onclick({ target: elements.pause }); },
};
const program = fs.readFileSync(process.argv[2], "utf8");
const html = fs.readFileSync(process.argv[3], "utf8");
vm.runInNewContext(program, {
  document, EventSource, Intl, matchMedia: () => ({ matches: process.argv[4] === "narrow", addEventListener() {} }),
  setInterval: work => { draw = work; }, setTimeout: work => { later.push(work); },
});
for (const [kind, told] of JSON.parse(fs.readFileSync(0))) {
  if (kind in happening) happening[kind]();
  else hearing[kind]({ data: JSON.stringify(told) });
}
draw();
const at = document.getElementById;
console.log(JSON.stringify({
  orders: at("orders").children.map(row => ({
    order: row.dataset.order, position: row.dataset.position, total: row.children[2].children[0],
    at: row.children[3].children[0],
  })),
  attention: at("attention").children.map(item => item.textContent),
  nothing: ["no-orders", "no-minutes"].filter(id => !at(id).hidden),
  pause: at("pause").textContent,
  passed: at("passed").textContent,
}));
