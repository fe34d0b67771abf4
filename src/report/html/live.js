
(() => {
  const EVERY = 10000;
  const said = document.getElementById("live");
  const parts = (of) => new Map([...of.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  // As the server wrote them: the filter hides rows, and a person opens details.
  const written = new Map([...parts(document)].map(([name, part]) => [name, part.outerHTML]));
  let tag = "", lost = null, asking = false;
  const clock = () => new Date().toISOString().slice(11, 19) + " UTC";
  const say = (text, alert) => { said.textContent = text; said.className = alert ? "alert" : "dim"; };
  // Whoever reads there goes on reading there.
  const keeping = (old, put) => {
    const at = document.activeElement, inside = at && old.contains(at);
    const href = inside && at.getAttribute("href"), id = inside && at.id;
    const open = [...old.querySelectorAll("details[open][id]")].map((one) => one.id);
    const scrolled = [...old.querySelectorAll(".scroll")].map((one) => [one.scrollTop, one.scrollLeft]);
    const fresh = put();
    for (const name of open) { const one = document.getElementById(name); if (one) one.open = true; }
    [...fresh.querySelectorAll(".scroll")].forEach((one, place) => {
      if (scrolled[place]) [one.scrollTop, one.scrollLeft] = scrolled[place];
    });
    if (!inside) return;
    const again = (id && document.getElementById(id)) || (href && fresh.querySelector(`[href="${CSS.escape(href)}"]`))
      || (at.className && fresh.querySelector("." + at.className.split(" ")[0]));
    if (again) again.focus({ preventScroll: true });
  };
  const swap = (page) => {
    const [fresh, here] = [parts(page), parts(document)];
    const same = fresh.size === here.size && [...fresh.keys()].every((name) => here.has(name));
    if (!same) {
      const old = document.getElementById("main");
      keeping(old, () => { const main = page.getElementById("main"); old.replaceWith(main); return main; });
      here.get("nav")?.replaceWith(fresh.get("nav"));
      here.get("head")?.replaceWith(fresh.get("head"));
    } else {
      for (const [name, part] of fresh) {
        const text = part.outerHTML;
        if (written.get(name) !== text) keeping(here.get(name), () => { here.get(name).replaceWith(part); return part; });
      }
    }
    written.clear();
    for (const [name, part] of parts(document)) written.set(name, part.outerHTML);
    dispatchEvent(new Event("fresh"));
  };
  const ask = async () => {
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(location.pathname, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status === 200) {
        tag = answer.headers.get("ETag") || "";
        swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } else if (answer.status !== 304) throw new Error(answer.status);
      lost = null;
      say(`Live: as of ${clock()}`, false);
    } catch {
      lost = lost || clock();
      say(`! The controller has not answered since ${lost}. What stands here may be old.`, true);
    } finally { asking = false; }
  };
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY);
  ask();
})();
