
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const [account, control, outcome] = ["account", "control", "outcome"].map(by);
  const open = () => {
    const at = location.hash.length > 1 && by(decodeURIComponent(location.hash.slice(1)));
    if (at && at.tagName === "DETAILS") at.open = true;
  };
  addEventListener("hashchange", open);
  open();
  if (!by("filter")) return;
  let lists, rows, heads, found;
  const collect = () => {
    lists = new Map(all("#groups details").map((list) =>
      ["#" + list.id, all("li", list).map((item) => [item, item.textContent.toLowerCase()])]));
    const named = (key) => lists.has(key) ? lists.get(key).map(([, name]) => name) : [key.toLowerCase()];
    rows = all(".grid tbody tr").map((row) => [row, named(row.dataset.a), all("th,td", row)]);
    heads = all(".grid thead th");
    found = all("[data-a]:not(.grid tr)").map((one) => [one, named(one.dataset.a)]);
  };
  const narrow = () => {
    const [who, what, how] = [account.value.trim().toLowerCase(), control.value.trim().toLowerCase(), outcome.value];
    const meant = (names) => !who || names.some((name) => name.includes(who));
    const wanted = (id) => !what || (id || "").toLowerCase().includes(what);
    const columns = heads.map((head, place) => place === 0 || wanted(head.dataset.c));
    heads.forEach((head, place) => { head.hidden = !columns[place]; });
    let shown = 0;
    for (const [row, names, cells] of rows) {
      const wide = cells.length === 2 && heads.length !== 2;
      if (!wide) cells.forEach((cell, place) => { cell.hidden = !columns[place]; });
      const stands = (cell, place) => place > 0 && (wide || columns[place]) && cell.className.startsWith(how);
      row.hidden = !(meant(names) && (!how || cells.some(stands)));
      shown += row.hidden ? 0 : 1;
    }
    let findings = 0, of = 0;
    for (const [one, names] of found) {
      one.hidden = !(meant(names) && wanted(one.dataset.c) && (!how || one.dataset.o === how));
      if (one.dataset.o) { of += 1; findings += one.hidden ? 0 : 1; }
    }
    for (const run of all("details.run")) run.hidden = !all("article", run).some((one) => !one.hidden);
    for (const list of lists.values()) for (const [item, name] of list) item.hidden = !meant([name]);
    by("shown").textContent = who || what || how
      ? `${shown} of ${rows.length} rows and ${findings} of ${of} findings are shown.` : "";
  };
  for (const field of [account, control, outcome]) field.addEventListener("input", narrow);
  by("clear").addEventListener("click", () => {
    account.value = control.value = outcome.value = "";
    narrow();
    account.focus();
  });
  addEventListener("fresh", () => { collect(); narrow(); });
  by("filter").hidden = false;
  collect();
  narrow();
})();
