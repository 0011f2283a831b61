// Runs the page's program without a browser: events in as [kind, data] by stdin, what it draws out.
"use strict";

const fs = require("fs"), vm = require("vm");

function element() {
  const made = { dataset: {}, style: { setProperty() {} }, children: [], textContent: "", hidden: false };
  made.append = (...more) => made.children.push(...more);
  made.insertCell = () => { const cell = element(); made.append(cell); return cell; };
  made.replaceChildren = (...more) => { made.children = more; };
  made.setAttribute = made.addEventListener = () => {};
  return made;
}

const elements = {}, hearing = {};
let draw;
const document = {
  getElementById: id => elements[id] ??= element(),
  createElement: element,
};
class EventSource {
  addEventListener(kind, hear) { hearing[kind] = hear; }
}
const program = fs.readFileSync(process.argv[2], "utf8");
vm.runInNewContext(program, { document, EventSource, Intl, setInterval: work => { draw = work; } });
for (const [kind, told] of JSON.parse(fs.readFileSync(0))) hearing[kind]({ data: JSON.stringify(told) });
draw();
console.log(JSON.stringify({
  orders: elements.orders.children.map(row => ({
    order: row.dataset.order, position: row.dataset.position, total: row.children[2].children[0],
  })),
  attention: elements.attention.children.map(item => item.textContent),
  passed: elements.passed.textContent,
}));
