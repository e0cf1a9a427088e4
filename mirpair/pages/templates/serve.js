"use strict";
// All texts of users become text, never HTML: they are set as textContent only.
const at = (id) => document.getElementById(id);
const COLUMNS = ["id", "call", "probability", "score", "family", "nearest", "identity", "length", "mfe", "reason"];
const HEADINGS = { call: "called", nearest: "nearest known", mfe: "MFE, kcal/mol", length: "length, nt", reason: "remark" };
const NUMBERS = new Set(["probability", "score", "identity", "length", "mfe"]);
const PAGE = 100;
const EXAMPLE = `>hsa-mir-21
UGUCGGGUAGCUUAUCAGACUGAUGUUGACUGUUGAAUCUCAUGGCAACACCAGUCGAUGGGCUGUCUGACA
>tRNA-Phe
GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA
`;
const state = { job: 0, rows: [], order: { by: "", sign: 0 }, first: 0, row: null };

class Refusal extends Error {}

// Asks the server; a refusal is an error with the server's words.
async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refusal("mirpair no longer answers: was it ended?");
  }
  if (!answer.ok) throw new Refusal((await answer.text()) || answer.statusText);
  return answer;
}

// Runs an action of the user, and shows why it failed.
function attempt(action) {
  return async (event) => {
    try {
      await action(event);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      at("status").textContent = error.message;
      busy(false);
    }
  };
}

function busy(is) {
  at("progress").hidden = !is;
  // What is still being sent has no number, so that it cannot be stopped.
  at("stop").hidden = true;
  document.querySelector("button.main").disabled = is;
}

async function send(event) {
  event.preventDefault();
  const [file] = at("file").files;
  if (!file && !at("rnas").value.trim()) throw new Refusal("Paste RNAs, or choose a file.");
  const text = file ? await contents(file) : at("rnas").value;
  for (const name of ["results", "detail", "messages"]) at(name).hidden = true;
  busy(true);
  at("progress").removeAttribute("value");
  at("status").textContent = "Reading the RNAs";
  const kingdom = encodeURIComponent(at("kingdom").value);
  const answer = await ask(`jobs?kingdom=${kingdom}`, { method: "POST", body: text, headers: { "Content-Type": "text/plain" } });
  state.job = (await answer.json()).job;
  await follow(state.job);
}

async function contents(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new Refusal(`${file.name} cannot be read, or has changed: choose it again.`);
  }
}

async function follow(job) {
  // So that a reload of the page finds the results.
  history.replaceState(null, "", `#${job}`);
  at("stop").hidden = false;
  for (;;) {
    const now = await (await ask(`jobs/${job}`)).json();
    if (job !== state.job) return;
    const count = `${now.done.toLocaleString("en")} of ${now.total.toLocaleString("en")} RNAs`;
    if (now.done) at("progress").value = now.done / now.total;
    at("status").textContent = now.state === "waiting" ? "Waiting for other RNAs" : now.done ? count : "Loading the networks";
    if (!["waiting", "running"].includes(now.state)) {
      busy(false);
      at("messages").textContent = now.messages;
      at("messages").hidden = !now.messages;
      at("status").textContent = now.state === "done" ? `Done: ${count}` : now.state === "stopped" ? "Stopped" : "Failed";
      if (now.state === "done") await show(job);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function show(job) {
  const { columns, rows, sequences } = await (await ask(`jobs/${job}/table`)).json();
  state.rows = rows.map((cells, place) => {
    const row = Object.fromEntries(columns.map((name, number) => [name, cells[number]]));
    return { ...row, number: place + 1, sequence: sequences[place], call: { 1: "yes", 0: "no" }[row.call] ?? "" };
  });
  state.order = { by: "", sign: 0 };
  state.first = 0;
  at("find").value = "";
  at("only").checked = false;
  const called = state.rows.filter((row) => row.call === "yes");
  const known = called.filter((row) => row.status === "known").length;
  at("answer").textContent =
    `Called pre-miRNAs: ${called.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} RNAs ` +
    `(similar to a known hairpin: ${known.toLocaleString("en")}).`;
  for (const [link, name] of [["tsv", "predictions.tsv"], ["gff3", "called.gff3"], ["fasta", "called.fa"]])
    at(link).href = `jobs/${job}/files/${name}`;
  at("results").hidden = false;
  fill();
}

function chosen() {
  const find = at("find").value.trim().toLowerCase();
  const rows = state.rows.filter(
    (row) =>
      (!at("only").checked || row.call === "yes") &&
      (!find || COLUMNS.some((name) => row[name].toLowerCase().includes(find))),
  );
  const { by, sign } = state.order;
  if (!sign) return rows;
  const compare = (one, other) => {
    const [a, b] = [one[by], other[by]];
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (NUMBERS.has(by) ? Number(a) - Number(b) : a.localeCompare(b));
  };
  return rows.sort(compare);
}

// Known hairpins with the same sequence are one entry, its names separated by commas.
function first(names) {
  const [name, ...others] = names.split(",");
  return others.length ? `${name} and ${others.length} more` : name;
}

function element(tag, text = "", more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, more);
}

function fill() {
  const head = element("tr");
  for (const name of COLUMNS) {
    const cell = element("th", "", { scope: "col", className: NUMBERS.has(name) ? "" : "text" });
    const is = state.order.by === name ? state.order.sign : 0;
    cell.setAttribute("aria-sort", { "-1": "descending", 0: "none", 1: "ascending" }[is]);
    const button = element("button", HEADINGS[name] ?? name, { type: "button" });
    button.addEventListener("click", () => {
      // Descending, ascending, and then as they were sent.
      state.order = { by: name, sign: { 0: -1, "-1": 1, 1: 0 }[is] };
      state.first = 0;
      fill();
      at("table").querySelectorAll("th button")[COLUMNS.indexOf(name)].focus();
    });
    cell.append(button);
    head.append(cell);
  }
  at("table").tHead.replaceChildren(head);
  const rows = chosen();
  state.first = Math.min(state.first, Math.max(0, rows.length - 1));
  const part = rows.slice(state.first, state.first + PAGE);
  const lines = part.map((row) => {
    const line = element("tr", "", { className: row.call === "yes" ? "this-run" : "" });
    for (const name of COLUMNS) {
      const cell = element("td", "", { className: NUMBERS.has(name) ? "" : name === "reason" ? "text note" : "text" });
      if (name === "id") {
        const button = element("button", row.id || "(no id)", { type: "button", className: "link", id: `row-${row.number}` });
        button.addEventListener("click", attempt(() => detail(row)));
        cell.append(button);
      } else cell.textContent = name === "nearest" ? first(row[name]) : row[name];
      line.append(cell);
    }
    return line;
  });
  at("table").tBodies[0].replaceChildren(...lines);
  const last = state.first + part.length;
  at("shown").textContent = rows.length
    ? `${(state.first + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`
    : "no such RNA";
  at("before").disabled = !state.first;
  at("after").disabled = last >= rows.length;
}

// Shows a picture of an RNA, unless the user has gone on to another one.
async function picture(kind, alternative) {
  const { job, row } = state;
  const answer = await ask(`jobs/${job}/records/${row.number}/${kind}.svg`);
  const text = await answer.text();
  if (state.job !== job || state.row !== row) return false;
  at("picture").src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  at("picture").alt = alternative;
  return true;
}

async function detail(row) {
  state.row = row;
  at("name").textContent = row.id || "(no id)";
  const facts = Object.entries(row).filter(([name, text]) => text !== "" && !["id", "number", "sequence", "structure"].includes(name));
  at("facts").replaceChildren(...facts.flatMap(([name, text]) => [element("dt", HEADINGS[name] ?? name.replaceAll("_", " ")), element("dd", String(text))]));
  at("sequence").textContent = `${row.sequence}\n${row.structure}`.trim();
  at("reason").textContent = "";
  at("why").hidden = !row.score;
  at("picture").hidden = !row.structure;
  at("picture").removeAttribute("src");
  at("detail").hidden = false;
  at("name").focus();
  at("name").scrollIntoView();
  if (row.structure) await picture("structure", `Secondary structure of ${row.id}: ${row.structure}`);
}

async function why() {
  const row = state.row;
  const say = (text) => {
    if (state.row === row) at("reason").textContent = text;
  };
  say("Scoring each RNA with one other base: some seconds for 80 nt, minutes for 400 nt");
  try {
    const is_shown = await picture("importance", `What each base of ${row.id} contributes to its score`);
    if (is_shown) say("Bases are darker the more the score loses with another base.");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message);
  }
}

function turn(pages) {
  state.first += pages * PAGE;
  fill();
}

at("input").addEventListener("submit", attempt(send));
at("stop").addEventListener("click", attempt(() => ask(`jobs/${state.job}`, { method: "DELETE" })));
at("example").addEventListener("click", () => {
  at("rnas").value = EXAMPLE;
  at("file").value = "";
});
at("rnas").addEventListener("input", () => (at("file").value = ""));
for (const name of ["find", "only"])
  at(name).addEventListener("input", () => {
    state.first = 0;
    fill();
  });
at("before").addEventListener("click", () => turn(-1));
at("after").addEventListener("click", () => turn(1));
at("why").addEventListener("click", why);
at("back").addEventListener("click", () => (at(`row-${state.row.number}`) ?? at("find")).focus());
at("file").addEventListener("change", () => (at("rnas").value = ""));
const has_files = (event) => event.dataTransfer.types.includes("Files");
document.addEventListener("dragover", (event) => has_files(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!has_files(event)) return;
  event.preventDefault();
  const { files } = event.dataTransfer;
  if (files.length === 1) {
    at("file").files = files;
    at("rnas").value = "";
  }
  at("status").textContent = files.length === 1 ? `Chosen: ${files[0].name}` : "Drop one file at a time.";
});
const earlier = Number(location.hash.slice(1));
if (earlier) {
  state.job = earlier;
  busy(true);
  attempt(() => follow(earlier))();
}
