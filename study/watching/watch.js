"use strict";
/* Asks for the state of the study every few seconds and shows it; uses `make` and `createExplorer` of explorer.js. */

const EVERY = 3000;
const at = id => document.getElementById(id);
let showNewer = null;

function showCounts(state) {
  const { trials, missing, ...statuses } = state.counts;
  const told = Object.entries(statuses).filter(([name, count]) => count || name === "ok").map(([name, count]) => `${count} ${name}`);
  const running = state.launches ? `${state.launches} launch${state.launches === 1 ? "" : "es"}` : "no launch";
  const left = state.left ? `; time left: ${state.left}` : "";
  at("counts").textContent = `${trials - missing} of ${counted(trials, "trial")} done: ${told.join(", ")}; ${missing} missing; ${running} running now${left}`;
  at("losses").replaceChildren(...state.losses.map(loss => make("div", { class: "loss" },
    make("span", {}, loss.name), make("progress", { max: Math.max(1, loss.trials), value: loss.done, "aria-label": loss.name }),
    make("span", {}, `${loss.done} of ${loss.trials}`))));
}

/* Opened tracebacks stay open from one look to the next. */
function showFailures(groups) {
  const open = new Set([...at("failures").querySelectorAll("details[open] > summary")].map(summary => summary.textContent));
  const shownGroups = groups.map(group => make("details", { open: open.has(group.title) }, make("summary", {}, group.title),
    make("p", { class: "soft" }, group.trials.join("; ") + (group.more ? ` and ${group.more} more` : "")),
    ...(group.traceback ? [make("pre", {}, group.traceback)] : [])));
  at("failures").replaceChildren(...(groups.length ? shownGroups : [make("p", { class: "soft" }, "None so far.")]));
}

function show(state) {
  document.title = `${state.study}: ${state.counts.trials - state.counts.missing} of ${state.counts.trials}`;
  at("study").textContent = `${state.study}, as the store has it now${state.note ? `. ${state.note}` : ""}`;
  at("changed").textContent = state.changed ? `Since this page began, ${state.changed}; it shows the earlier version. Start "study watch" again for the change.` : "";
  showCounts(state);
  showFailures(state.failures);
  if (state.explorer && showNewer) showNewer(state.explorer);
  else if (state.explorer) showNewer = createExplorer(at("explorer"), state.explorer, state.column);
}

async function look() {
  try {
    const answer = await fetch("state.json");
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.json());
    at("asked").textContent = `Looked at ${new Date().toLocaleTimeString()}; looks again every ${EVERY / 1000} s.`;
    at("asked").classList.remove("late");
  } catch (error) {
    at("asked").textContent = `No answer (${error.message}); what follows is the last one.`;
    at("asked").classList.add("late");
  }
  setTimeout(look, EVERY);
}

look();
