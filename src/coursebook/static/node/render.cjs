// Renders formulas: one JSON request {latex, display} per line in, one JSON answer {html} or {error} per line out.
const readline = require("readline");
const katex = require("./katex.min.js");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { latex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(latex, { displayMode: display, strict: "error" }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
