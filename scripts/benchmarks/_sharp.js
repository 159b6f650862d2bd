// Resize by sharp as its documentation does it: one process, all files at once, as many at work as libuv has threads.
// node _sharp.js '{"list": FILE, "out": FOLDER, "outputs": [{"side", "format", "quality", "tail"}], "filtered", "tuned"}'
const fs = require("fs");
const path = require("path");
const sharp = require("sharp");

const job = JSON.parse(process.argv[2]);
const files = fs.readFileSync(job.list, "utf8").trim().split("\n");
if (job.tuned) {
  sharp.cache(false); // no picture comes twice
  sharp.concurrency(1); // a thread for each picture; UV_THREADPOOL_SIZE says how many at once
}

async function resize(file) {
  const stem = path.parse(file).name;
  const picture = sharp(file, { sequentialRead: true }).autoOrient();
  await Promise.all(job.outputs.map(({ side, format, quality, tail }) => {
    let result = picture.clone().resize(side, side, { fit: "inside", withoutEnlargement: true });
    if (job.filtered) result = result.grayscale().blur(2).sharpen({ sigma: 1 });
    const options = format === "png" ? {} : { quality };
    return result.toFormat(format, options).toFile(path.join(job.out, stem + tail));
  }));
}

Promise.all(files.map(resize)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
