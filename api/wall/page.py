"""The page of the wall: plain HTML, one stream."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Orders as they happen</title>
<style>
  body { font: 1.1rem/1.4 system-ui, sans-serif; margin: 1rem; background: #111; color: #eee }
  li { display: flex; gap: 1rem; padding: .2rem 0; border-bottom: 1px solid #333 }
  code { color: #9cf } ul { list-style: none; padding: 0 }
</style>
<h1>Orders as they happen</h1>
<p id="state" role="status">waiting</p>
<ul id="orders"></ul>
<script>
  const list = document.getElementById("orders"), state = document.getElementById("state");
  const rows = new Map(), stream = new EventSource("/stream");
  stream.onopen = () => { state.textContent = "live" };
  stream.onerror = () => { state.textContent = "not connected, tries again" };
  stream.addEventListener("order", event => {
    const told = JSON.parse(event.data);
    const row = rows.get(told.order_id) || document.createElement("li");
    const id = document.createElement("code"), what = document.createElement("span");
    id.textContent = told.order_id;
    what.textContent = told.what.replace(/^quire\\.order\\.|\\.v1$/g, "").replaceAll("_", " ");
    row.replaceChildren(id, what);
    rows.set(told.order_id, row);
    list.prepend(row);
    while (list.children.length > 100) {
      rows.delete(list.lastChild.firstChild.textContent);
      list.lastChild.remove();
    }
  });
</script>
"""
