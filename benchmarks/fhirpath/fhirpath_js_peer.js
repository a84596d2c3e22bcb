// fhirpath.js with its R4 model: reads patients and conditions, then seconds, a line each.
const { readFileSync } = require("fs");
const { createInterface } = require("readline");
const [folder, patientsFile, conditionsFile] = process.argv.slice(2);
const fhirpath = require(`${folder}/node_modules/fhirpath`);
const model = require(`${folder}/node_modules/fhirpath/fhir-context/r4`);
const patients = JSON.parse(readFileSync(patientsFile, "utf8"));
const conditions = JSON.parse(readFileSync(conditionsFile, "utf8"));

let compiled;
const rounds = [];
for (let n = 0; n < 20; n++) {
  const began = performance.now();
  compiled = conditions.map((text) => fhirpath.compile(text, model));
  rounds.push(performance.now() - began);
}
const compileMs = rounds.sort((a, b) => a - b)[10] / conditions.length;
const answers = patients.map((patient) => compiled.map((condition) => condition(patient)));
console.log(JSON.stringify({ answers, compileMs }));

createInterface({ input: process.stdin }).on("line", (line) => {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < Number(line) * 1000) {
    for (const condition of compiled) condition(patients[count % patients.length]);
    count++;
  }
  console.log(JSON.stringify({ count, seconds: (performance.now() - start) / 1000 }));
});
