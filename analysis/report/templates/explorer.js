"use strict";
/* The explorer of surfaces: `createExplorer(host, data, column)` fills the element `host`, begins with the metric of
   that column or the first one, and returns a function that shows newer data of the same study. `data` is what
   analysis/explorer.py makes; all its values are shown ones. */

/* An element with attributes and children; texts become text nodes, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/* A number as the report writes it: the metric's decimals, or three digits, whole from 1000 on; a true minus sign. */
function shown(value, metric) {
  if (value === null) return "–";
  const whole = Math.abs(value) >= 1000;
  const text = metric.digits !== undefined ? value.toFixed(metric.digits) : whole ? value.toFixed(0) : value.toPrecision(3);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

function withUnit(value, metric) {
  return value === null || !metric.unit ? shown(value, metric) : `${shown(value, metric)}\u00a0${metric.unit}`;
}

function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/* Everything that is said of one configuration but the values of its trials: how many there are of each kind, the mean
   of the finished ones with its interval, and the mean that the tolerance looks at, failed trials at the worst outcome. */
function summarise(data, metricIndex, arm, cell) {
  const metric = data.metrics[metricIndex], values = arm.values[metricIndex];
  const of = kind => arm.counts[kind]?.[cell] ?? 0;
  const failed = of("failed"), finished = of("ok"), mean = values.mean[cell], half = values.half[cell];
  const known = values.known ? values.known[cell] : finished;
  const summary = { failed, finished, missing: of("missing"), mean, low: null, high: null };
  summary.planned = arm.seeds.length - of("unplanned");
  if (half !== null) {
    summary.low = Math.max(mean - half, metric.low ?? -Infinity);
    summary.high = Math.min(mean + half, metric.high ?? Infinity);
  }
  const entered = known + failed, scorable = metric.better && entered && !(failed && metric.worst === null);
  summary.scored = scorable ? (known * (mean ?? 0) + failed * metric.worst) / entered : null;
  return summary;
}

/* The bytes that zlib compressed into a text in base64. */
async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* The value of a trial, as analysis/packed_values.py puts it: the power of ten in two bytes, the mantissa in three. */
function unpacked(planes, trials, at) {
  const byte = plane => planes[plane * trials + at], signed = (number, bits) => number << 32 - bits >> 32 - bits;
  const power = signed(byte(0) | byte(1) << 8, 16), digits = signed(byte(2) | byte(3) << 8 | byte(4) << 16, 24);
  return power === -32768 ? null : Number(`${digits}e${power}`);
}

/* Which cells lie within `eps` of the best, each arm's own or that of all, and the share of the ranges they make up.
   Means have eight digits, so the limit is a little wider than their rounding. */
function withinTolerance(metric, arms, cells, eps, ofAll) {
  const score = cell => metric.better * cell.scored;
  const best = group => Math.max(...group.filter(cell => cell.scored !== null).map(score));
  const overall = best(cells.flat());
  return arms.map((arm, index) => {
    const top = ofAll ? overall : best(cells[index]);
    const slack = 2e-7 * Math.max(1, Math.abs(top));
    let inside = 0, all = 0;
    const near = cells[index].map((cell, place) => {
      if (cell.scored === null || !arm.weights[place]) return false;
      all += arm.weights[place];
      const within = cell.mean !== null && score(cell) >= top - eps - slack;
      if (within) inside += arm.weights[place];
      return within;
    });
    return { near, share: all ? inside / all : null };
  });
}

/* The colour at `place` in [0, 1] of the scale, and whether dark text is read on it. */
function colorAt(colors, place) {
  const at = Math.min(Math.max(place, 0), 1) * (colors.length - 1), low = Math.min(Math.floor(at), colors.length - 2);
  const channel = (color, index) => parseInt(color.slice(1 + 2 * index, 3 + 2 * index), 16);
  const rgb = [0, 1, 2].map(index => {
    const from = channel(colors[low], index);
    return Math.round(from + (at - low) * (channel(colors[low + 1], index) - from));
  });
  const light = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] > 120;
  return { background: `rgb(${rgb.join(",")})`, light };
}

function createExplorer(host, data, column) {
  const state = { column, metric: 0, eps: data.tolerance, ofAll: false, arm: 0, cell: null, kept: false, seed: null, enter: false, select: false };
  const panels = make("div", { class: "panels" });
  const legend = make("div", { class: "legend" });
  const details = make("div", { class: "details", role: "status" });
  const metricMenu = make("select", { onchange: event => { choose(event.target.selectedIndex); draw(); } });
  const slider = make("input", { type: "range", min: "0", oninput: event => { state.eps = Number(event.target.value); draw(); } });
  const tolerance = make("output");
  const bestOf = make("select", { onchange: event => { state.ofAll = event.target.value === "all"; draw(); } },
    make("option", { value: "own" }, "of each loss's own best"), make("option", { value: "all" }, "of the best of all losses"));
  const near = make("span", { class: "near-control" }, make("label", {}, "Outline within ", slider, " ", tolerance, " "), bestOf);
  const waits = make("span", { class: "soft" });
  bestOf.setAttribute("aria-label", "Which best");
  let cells = [], known = new Map();

  /* The panels once more; the cell that had the focus has it again. */
  function draw() {
    const metric = data.metrics[state.metric];
    const focused = panels.contains(document.activeElement);
    cells = data.arms.map(arm => arm.weights.map((_, cell) => summarise(data, state.metric, arm, cell)));
    const missing = cells.flat().reduce((sum, cell) => sum + cell.missing, 0);
    /* Losses have different cells until all trials are there, so nothing that ranks or sums them up is shown. */
    const inside = metric.better && !missing ? withinTolerance(metric, data.arms, cells, state.eps, state.ofAll) : null;
    const means = cells.flat().map(cell => cell.mean).filter(mean => mean !== null);
    const scale = { low: Math.min(...means), high: Math.max(...means) };
    panels.replaceChildren(...data.arms.map((arm, index) => panel(arm, index, metric, scale, inside && inside[index])));
    near.hidden = !inside;
    waits.hidden = !(metric.better && missing);
    waits.textContent = `${counted(missing, "trial")} not run: shares of the ranges are shown when none is missing.`;
    tolerance.value = metric.better ? `${shown(state.eps, metric)} ${metric.points}` : "";
    drawLegend(metric, scale, means.length > 0, inside !== null);
    if (state.cell !== null) describe();
    if (focused) panels.querySelectorAll("table")[state.arm]?.querySelector("[tabindex='0']")?.focus();
  }

  function panel(arm, index, metric, scale, inside) {
    const rows = arm.y.values.map((name, y) => make("tr", {}, make("th", { scope: "row" }, name),
      ...arm.x.values.map((_, x) => cellElement(arm, index, x * arm.y.values.length + y, metric, scale, inside))));
    const foot = make("tr", {}, make("td"), ...arm.x.values.map(name => make("th", { scope: "col" }, name)));
    const share = inside && inside.share !== null ? `${(100 * inside.share).toFixed(1)} % of the ranges` : "";
    const grid = make("table", { role: "grid", "aria-label": `${arm.name}: ${metric.label}` }, make("tbody", {}, ...(arm.y.falls ? rows : rows.reverse()), foot));
    grid.addEventListener("keydown", event => move(event, arm, index));
    return make("figure", { class: "panel" },
      make("figcaption", {}, make("strong", {}, arm.name), make("span", { class: "share" }, share)),
      make("div", { class: "axis" }, `${arm.y.falls ? "↓" : "↑"} ${arm.y.label}`), make("div", { class: "scroll" }, grid),
      make("div", { class: "axis x" }, `${arm.x.label} →`));
  }

  function cellElement(arm, index, cell, metric, scale, inside) {
    const summary = cells[index][cell];
    const look = event => {
      if (state.kept && event.type === "pointerenter") return;
      if (state.arm !== index || state.cell !== cell) state.seed = null;
      state.kept = event.type === "click";
      state.arm = index; state.cell = cell; mark(event.currentTarget); describe();
    };
    const entry = index === state.arm && state.cell !== null ? cell === state.cell : cell === 0;
    const element = make("td", { tabindex: entry ? "0" : "-1", "data-cell": cell, "aria-label": spoken(arm, cell, summary, metric),
      onpointerenter: look, onfocus: look, onclick: look });
    element.append(summary.mean !== null ? shown(summary.mean, metric) : summary.planned === 0 ? "" : summary.failed ? "✕" : "–");
    if (summary.mean !== null) {
      const span = scale.high - scale.low, color = colorAt(data.colors, span ? (summary.mean - scale.low) / span : 0.5);
      element.style.backgroundColor = color.background;
      element.classList.add(color.light ? "light" : "dark");
    }
    if (summary.failed && summary.mean === null) element.classList.add("failed");
    else if (summary.failed) {
      const strip = make("i", { class: "strip failed" });
      strip.style.width = `${100 * summary.failed / summary.planned}%`;
      element.append(strip);
    }
    if (inside && inside.near[cell]) element.classList.add("near");
    if (index === state.arm && cell === state.cell) element.classList.add("chosen");
    return element;
  }

  function choose(metric) {
    state.metric = metric;
    state.column = data.metrics[metric].column;
  }

  /* One cell of a panel takes part in the tab order; arrows move from there. */
  function mark(element) {
    for (const other of panels.querySelectorAll(".chosen")) other.classList.remove("chosen");
    for (const other of element.closest("table").querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
    element.classList.add("chosen");
    element.tabIndex = 0;
  }

  function move(event, arm, index) {
    const up = arm.y.falls ? -1 : 1;  // in the figures too, values that act as a lower temperature fall upwards
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, up], ArrowDown: [0, -up] };
    const at = Number(event.target.dataset.cell), [dx, dy] = steps[event.key] ?? [0, 0];
    if (event.key === "Enter" && data.command) {
      event.preventDefault();
      state.kept = state.enter = true;
      describe();
    }
    if (Number.isNaN(at) || !steps[event.key]) return;
    event.preventDefault();
    const height = arm.y.values.length, x = Math.floor(at / height) + dx, y = at % height + dy;
    if (x < 0 || y < 0 || x >= arm.x.values.length || y >= height) return;
    panels.querySelectorAll("table")[index].querySelector(`[data-cell='${x * height + y}']`).focus();
  }

  function place(arm, cell) {
    const height = arm.y.values.length;
    return `${arm.x.words} ${arm.x.values[Math.floor(cell / height)]}, ${arm.y.words} ${arm.y.values[cell % height]}`;
  }

  function counts(summary) {
    const parts = [[summary.finished, "finished"], [summary.failed, "failed"], [summary.missing, "not run"]];
    return parts.filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(", ") || "not planned";
  }

  function spoken(arm, cell, summary, metric) {
    return `${place(arm, cell)}: ${summary.mean === null ? "" : `${withUnit(summary.mean, metric)}; `}${counts(summary)}`;
  }

  function describe() {
    const metric = data.metrics[state.metric], arm = data.arms[state.arm], summary = cells[state.arm][state.cell];
    const interval = summary.low === null ? "" : ` [${shown(summary.low, metric)}, ${shown(summary.high, metric)}], ${data.level} % interval`;
    const mean = summary.mean === null ? "" : `mean of finished seeds ${withUnit(summary.mean, metric)}${interval}`;
    const worst = summary.failed && summary.scored !== null ? `; ${withUnit(summary.scored, metric)} with failures at ${withUnit(metric.worst, metric)}` : "";
    details.replaceChildren(make("p", {}, make("strong", {}, arm.name), `, ${place(arm, state.cell)}: ${mean || counts(summary)}${worst}`), trialsOfCell(metric, arm));
    const first = details.querySelector("button");
    if (state.enter && first) { state.enter = false; first.focus(); }
    const field = details.querySelector("input");
    if (state.select && field) { state.select = false; field.focus(); field.select(); copy(field.value); }
  }

  /* The seeds of the chosen cell, or a sentence in their place. They are unpacked when the first cell is chosen. */
  function trialsOfCell(metric, arm) {
    const status = unpack(data.trials.status), packed = data.trials.values[state.metric];
    const planes = packed === null ? null : unpack(packed);
    const instead = status.failed ?? planes?.failed;
    if (instead) return make("p", { class: "soft" }, instead);
    if (!status.bytes || planes && !planes.bytes) return make("p", { class: "soft" }, "…");
    const first = data.arms.slice(0, state.arm).reduce((sum, other) => sum + other.weights.length * other.seeds.length, 0);
    const seeds = arm.seeds.map((seed, index) => {
      const at = first + state.cell * arm.seeds.length + index, { kind, name } = data.statuses[status.bytes[at]];
      const value = planes ? unpacked(planes.bytes, status.bytes.length, at) : null;
      const text = value !== null ? shown(value, metric) : kind !== "ok" ? name : planes ? "no value" : "finished";
      return kind === "unplanned" ? null : make("li", {}, seedName(seed, index), " ", make("b", {}, text));
    });
    const list = make("div", {}, make("ul", {}, ...seeds.filter(each => each)), ...commandOf(first + state.cell * arm.seeds.length, arm));
    return planes ? list : make("div", {}, list, make("p", { class: "soft" }, "The values of these seeds are left out for size; they stand in the table trials.csv."));
  }

  /* A seed's name; a button that shows the command of its trial, where there is one. */
  function seedName(seed, index) {
    if (!data.command) return make("span", { class: "seed" }, `seed ${seed}`);
    const show = () => {
      state.seed = index; state.kept = state.select = true;
      describe();
    };
    return make("button", { type: "button", class: "seed", title: "Show the command of this trial", onclick: show }, `seed ${seed}`);
  }

  /* A field with the command of the chosen seed's trial. Its text is selected, so that Ctrl-C copies it also where the
     page may not write to the clipboard. */
  function commandOf(first, arm) {
    if (state.seed === null || !data.command) return [];
    const ids = unpack(data.trials.ids), width = data.trials.digits / 2, at = width * (first + state.seed);
    if (ids.failed) return [make("p", { class: "soft" }, ids.failed)];
    if (!ids.bytes) return [make("p", { class: "soft" }, "…")];
    const id = Array.from(ids.bytes.slice(at, at + width), byte => byte.toString(16).padStart(2, "0")).join("");
    const field = make("input", { type: "text", readonly: "", value: data.command.replace("{}", id), "aria-label": `Command of the trial with seed ${arm.seeds[state.seed]}`,
      onkeydown: event => { if (event.key === "Escape") panels.querySelector(".chosen")?.focus(); } });
    return [make("p", { class: "command" }, field, " ", make("span", { class: "soft copied" }, "Press Ctrl-C to copy it."))];
  }

  /* Copies where the browser lets the page; says so only then. */
  function copy(text) {
    const said = details.querySelector(".copied");
    Promise.resolve(navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => { said.textContent = "Copied."; }, () => {});
  }

  /* The bytes of a packed text, or why there are none; neither while it is being unpacked, after which the details
     are shown once more. */
  function unpack(text) {
    if (!known.has(text)) {
      const found = {};
      known.set(text, found);
      inflated(text).then(bytes => { found.bytes = bytes; }, error => { found.failed = unpacking(error); })
        .then(() => { if (state.cell !== null) describe(); });
    }
    return known.get(text);
  }

  function isPacked(text) {
    return text === data.trials.status || text === data.trials.ids || data.trials.values.includes(text);
  }

  function unpacking(error) {
    return typeof DecompressionStream === "undefined"
      ? "This browser cannot show the seeds, since it has no DecompressionStream; they stand in the table trials.csv."
      : `The seeds cannot be read (${error.message}); they stand in the table trials.csv.`;
  }

  function drawLegend(metric, scale, any, outlined) {
    const bar = make("span", { class: "bar" });
    bar.style.backgroundImage = `linear-gradient(to right, ${data.colors.join(",")})`;
    const ends = any ? [shown(scale.low, metric), bar, `${withUnit(scale.high, metric)}`] : ["no values yet"];
    const key = (name, text) => make("span", { class: "key" }, make("span", { class: `swatch ${name}` }), text);
    legend.replaceChildren(make("span", { class: "key" }, ...ends), ...(outlined ? [key("near", "within the tolerance")] : []),
      key("failed", "failed trials, by their share"), key("missing", "not run"));
  }

  /* Menus and slider for the data there are; what is chosen stays. */
  function fill() {
    metricMenu.replaceChildren(...data.metrics.map(metric => make("option", {}, metric.unit ? `${metric.label}, ${metric.unit}` : metric.label)));
    const wanted = state.column; // newer data may have it
    choose(Math.max(0, data.metrics.findIndex(metric => metric.column === wanted)));
    state.column = wanted;
    metricMenu.selectedIndex = state.metric;
    panels.style.setProperty("--columns", Math.max(...data.arms.map(arm => arm.x.values.length)));
    slider.max = String(data.most);
    slider.step = String(data.most / 100);
    slider.value = String(state.eps);
    if (state.cell !== null && !(data.arms[state.arm]?.weights.length > state.cell)) state.cell = null;
    omitted.textContent = data.omitted.length ? `Left out for size: ${data.omitted.join(", ")}; they stand in the table trials.csv.` : "";
    draw();
  }

  const omitted = make("p", { class: "soft" });
  details.append(make("p", { class: "soft" }, "Point at a cell, tap it or move there with the arrow keys to see its seeds." +
    (data.command ? " Click it or press Enter to keep it; each seed then gives the command of its trial." : "")));
  host.classList.add("explorer");
  host.replaceChildren(make("div", { class: "controls" }, make("label", {}, "Metric ", metricMenu), near, waits), legend, panels, details, omitted);
  fill();
  return newer => { data = newer; known = new Map([...known].filter(([text]) => isPacked(text))); fill(); };
}
