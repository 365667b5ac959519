(() => {
  "use strict";

  const CARDS = 24; // clusters on a page
  const STRIP = 6; // samples on a card
  const MEMBERS = 120; // samples on a page of one cluster
  const COMPANY = 6; // samples of the cluster, beside one that is asked about
  const SMALL = 64; // pixels below which pictures are shown with sharp edges

  const find = (id) => document.getElementById(id);
  const content = JSON.parse(find("content").textContent);
  const { clusters, ids, texts, probabilities, pictures, questions } = content;
  const hasPictures = Object.keys(pictures).length > 0;
  const groups = clusters.map((cluster) => ({ ...cluster, name: `Cluster ${cluster.number}` }));
  const outliers = { name: "Outliers", number: null, size: content.outliers.length, rows: content.outliers };
  const groupOfRow = new Int32Array(content.n_samples).fill(-1);
  groups.forEach((group, index) => group.rows.forEach((row) => (groupOfRow[row] = index)));

  /* What users gave becomes text nodes and attributes only, never markup. */
  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  const nameOf = (row) => (ids ? ids[row] : `${row}`);
  const groupOf = (row) => groups[groupOfRow[row]] ?? outliers;

  // Samples

  function sample(row, { exemplar = false, hit = false } = {}) {
    const name = nameOf(row);
    const marks = ["sample", exemplar && "exemplar", hit && "hit", hasPictures && !(row in pictures) && "bare"];
    const figure = make("figure", { class: marks.filter(Boolean).join(" "), title: exemplar ? `${name} (exemplar)` : name });
    if (row in pictures) {
      const image = make("img", { src: pictures[row], alt: `Picture of ${name}`, loading: "lazy", decoding: "async" });
      image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth < SMALL));
      figure.append(image);
    }
    if (texts) figure.append(make("p", { dir: "auto" }, texts[row]));
    const probability = probabilities?.[row];
    const share = probability == null ? "" : ` · ${Math.round(100 * probability)} %`;
    if (!texts || ids || share) figure.append(make("figcaption", {}, make("bdi", {}, name), share));
    return figure;
  }

  function fill(box, rows, { exemplar = null, hits = null } = {}) {
    const kind = hasPictures ? "" : texts ? "texts" : ids ? "names" : "numbers";
    box.className = `samples ${kind}`;
    box.replaceChildren(...rows.map((row) => sample(row, { exemplar: row === exemplar, hit: hits?.has(row) })));
    return box;
  }

  /* Not all pictures are here. Where some are, samples without one are left to the complete list. */
  function worthShowing(rows) {
    const seen = rows.filter((row) => row in pictures);
    return seen.length ? seen : rows;
  }

  const exemplarOf = (group) => (group === outliers ? null : group.rows[0]);

  function score(group) {
    const parts = [["IoU", group.predicted_iou], ["IoP", group.predicted_iop]];
    const known = parts.filter(([, value]) => value != null);
    return known.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(" · ");
  }

  /* Buttons from page to page; `show` draws the page of a number. */
  function pages(box, n_items, per_page, current, show) {
    const last = Math.ceil(n_items / per_page) - 1;
    if (last < 1) return box.replaceChildren();
    const go = (label, target) => {
      const button = make("button", { type: "button" }, label);
      button.disabled = target < 0 || target > last;
      button.addEventListener("click", () => {
        show(target);
        // Buttons are new now. The keyboard goes on from the same one, or from its neighbour at the end.
        const buttons = [...box.querySelectorAll("button")];
        (buttons.find((other) => other.textContent === label && !other.disabled) ??
          buttons.find((other) => !other.disabled))?.focus({ preventScroll: true });
      });
      return button;
    };
    const where = make("span", { role: "status" }, `Page ${(current + 1).toLocaleString("en")} of ${(last + 1).toLocaleString("en")}`);
    box.replaceChildren(go("Previous", current - 1), where, go("Next", current + 1));
  }

  // Clusters

  const ORDERS = {
    size: (a, b) => b.size - a.size,
    worst: (a, b) => (a.predicted_iou ?? 2) - (b.predicted_iou ?? 2),
    best: (a, b) => (b.predicted_iou ?? -1) - (a.predicted_iou ?? -1),
    number: (a, b) => a.number - b.number,
  };
  let searchable = null;

  /* Rows that a query hits, by group; null for an empty query. */
  function search(query) {
    const wanted = query.trim().toLowerCase();
    if (!wanted) return null;
    searchable ??= Array.from({ length: content.n_samples }, (_, row) =>
      [ids?.[row], texts?.[row]].filter(Boolean).join("\n").toLowerCase());
    const number = /^(?:cluster\s+)?(\d+)$/.exec(wanted)?.[1];
    const hits = new Map();
    for (const group of groups) if (number === `${group.number}`) hits.set(group, new Set());
    for (let row = 0; row < searchable.length; row++) {
      if (!searchable[row].includes(wanted) && (ids || wanted !== `${row}`)) continue;
      const group = groupOf(row);
      if (!hits.has(group)) hits.set(group, new Set());
      hits.get(group).add(row);
    }
    return hits;
  }

  function card(group, hits) {
    const first = hits?.size ? [...hits].slice(0, STRIP) : [];
    const others = group.rows.slice(0, 2 * STRIP).filter((row) => !first.includes(row));
    const rows = worthShowing([...first, ...others]).slice(0, STRIP);
    const head = make("div", { class: "card-head" },
      make("h2", {}, group.name), make("span", { class: "size" }, count(group.size, "sample")));
    if (score(group)) head.append(make("span", { class: "score", title: "predicted" }, score(group)));
    const box = make("article", { class: "card", "aria-label": group.name }, head,
      fill(make("div"), rows, { exemplar: exemplarOf(group), hits }));
    if (group.size > STRIP) {
      const all = make("button", { type: "button" }, `Show all ${group.size.toLocaleString("en")}`);
      all.setAttribute("aria-label", `Show all ${group.size} samples of ${group.name}`);
      all.addEventListener("click", () => showMembers(group, hits));
      box.append(all);
    }
    return box;
  }

  function showCards(page = 0) {
    const hits = search(find("search").value);
    let shown = [...groups].sort(ORDERS[find("order").value]);
    if (outliers.size) shown.push(outliers);
    if (hits) shown = shown.filter((group) => hits.has(group));
    const n_hits = hits ? [...hits.values()].reduce((sum, rows) => sum + rows.size, 0) : 0;
    const n_clusters = shown.filter((group) => group !== outliers).length;
    const found = hits && n_hits ? `, ${count(n_hits, "sample")} found` : "";
    find("found").textContent = hits && !shown.length ? "Nothing found." : count(n_clusters, "cluster") + found;
    const part = shown.slice(page * CARDS, (page + 1) * CARDS);
    find("cards").replaceChildren(...part.map((group) => card(group, hits?.get(group))));
    pages(find("card-pages"), shown.length, CARDS, page, (target) => {
      showCards(target);
      find("cards").scrollIntoView({ block: "start" });
    });
  }

  function showMembers(group, hits) {
    const rows = hits?.size ? [...hits, ...group.rows.filter((row) => !hits.has(row))] : group.rows;
    const show = (page) => {
      const part = rows.slice(page * MEMBERS, (page + 1) * MEMBERS);
      fill(find("members-samples"), part, { exemplar: exemplarOf(group), hits });
      pages(find("member-pages"), rows.length, MEMBERS, page, (target) => {
        show(target);
        find("members").scrollTop = 0;
      });
    };
    find("members-title").textContent = `${group.name}: ${count(group.size, "sample")}`;
    show(0);
    find("members").showModal();
    find("members").scrollTop = 0;
  }

  // Review: answers[i] belongs to questions[i]

  const KEYS = { s: "same", d: "different", k: "skip" };
  const WHY = {
    merge: (names) => `${names} may be one.`,
    split: (names) => `${names} may be more than one.`,
    outlier: (names) => `One of the two may be an outlier of ${names}.`,
  };
  const storage = `sklearn_gcncluster decisions ${content.digest}`;
  let answers = [];
  let saved = true; // whether closing the page loses nothing

  /* Browsers refuse to store anything for some pages, such as those inside a notebook. */
  function remember() {
    try {
      localStorage.setItem(storage, JSON.stringify(answers));
    } catch {
      saved = answers.length === 0;
    }
  }

  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(storage)) ?? [];
      const known = Object.values(KEYS);
      if (kept.length <= questions.length && kept.every((answer) => known.includes(answer))) answers = kept;
    } catch {
      answers = [];
    }
  }

  function pairs(answer) {
    return questions.filter((_, index) => answers[index] === answer).map((asked) => [asked.first, asked.second]);
  }

  /* As JSON, with one line for each kind of answer. */
  function decisions() {
    const { format, n_samples } = content;
    const made = { format, n_samples, must_link: pairs("same"), cannot_link: pairs("different"), skipped: pairs("skip") };
    const lines = Object.entries(made).map(([name, value]) => ` ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    return `{\n${lines.join(",\n")}\n}\n`;
  }

  function side(row) {
    const group = groupOf(row);
    const others = group === outliers ? [] : group.rows.slice(0, COMPANY + 1).filter((other) => other !== row);
    const company = worthShowing(others).slice(0, COMPANY);
    const box = make("div", { class: "side" }, sample(row));
    const told = group === outliers ? "in no cluster" : `${group.name}: ${count(group.size, "sample")}${company.length ? ", such as" : ""}`;
    box.append(make("p", { class: "company" }, told));
    if (company.length) box.append(fill(make("div"), company));
    return box;
  }

  function showQuestion() {
    const asked = questions[answers.length];
    find("asked").hidden = !asked;
    find("finished").hidden = Boolean(asked);
    for (const answer of Object.values(KEYS)) find(answer).disabled = !asked;
    find("undo").disabled = !answers.length;
    find("download").disabled = !answers.length;
    find("progress").max = questions.length;
    find("progress").value = answers.length;
    find("progress-text").textContent = asked
      ? `Question ${(answers.length + 1).toLocaleString("en")} of ${questions.length.toLocaleString("en")}`
      : `${count(questions.length, "question")} answered`;
    find("n-open").textContent = (questions.length - answers.length).toLocaleString("en");
    find("tally").textContent =
      `${pairs("same").length} same, ${pairs("different").length} different, ${pairs("skip").length} skipped`;
    if (find("as-text").open) find("decisions").value = decisions();
    if (!asked) return;
    const names = asked.clusters.length ? `Cluster${asked.clusters.length > 1 ? "s" : ""} ${asked.clusters.join(" and ")}` : "The cluster";
    const gain = asked.gain == null ? "" : ` An answer is worth ${asked.gain.toPrecision(2)}.`;
    find("why").textContent = (Object.hasOwn(WHY, asked.kind) ? WHY[asked.kind](names) : asked.kind) + gain;
    find("pair").replaceChildren(side(asked.first), side(asked.second));
  }

  function change(edit) {
    edit();
    saved = true;
    remember();
    showQuestion();
  }

  function answer(given) {
    if (answers.length < questions.length) change(() => answers.push(given));
  }

  function undo() {
    if (answers.length) change(() => answers.pop());
  }

  function download() {
    const file = new Blob([decisions()], { type: "application/json" });
    const address = URL.createObjectURL(file);
    make("a", { href: address, download: "decisions.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    saved = true;
  }

  function onKey(event) {
    if (find("review").hidden || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const key = event.key.toLowerCase();
    if (Object.hasOwn(KEYS, key)) answer(KEYS[key]);
    else if (key === "u") undo();
  }

  function show(view) {
    for (const name of ["clusters", "review"]) {
      find(name).hidden = name !== view;
      find(`show-${name}`).setAttribute("aria-pressed", name === view);
    }
  }

  // Start

  if (groups.every((group) => group.predicted_iou == null)) {
    for (const option of [...find("order").options]) if (["worst", "best"].includes(option.value)) option.remove();
  }
  let waiting = null;
  find("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(showCards, 150);
  });
  find("order").addEventListener("change", () => showCards());
  find("close").addEventListener("click", () => find("members").close());
  find("show-clusters").addEventListener("click", () => show("clusters"));
  find("show-review").addEventListener("click", () => show("review"));
  for (const given of Object.values(KEYS)) find(given).addEventListener("click", () => answer(given));
  find("undo").addEventListener("click", undo);
  find("download").addEventListener("click", download);
  find("as-text").addEventListener("toggle", showQuestion);
  document.addEventListener("keydown", onKey);
  addEventListener("beforeunload", (event) => {
    if (!saved) event.preventDefault();
  });
  showCards();
  recall();
  showQuestion();
  find("views").hidden = !questions.length;
  show("clusters");
})();
