// A picture as it is sent. One that is larger than the site keeps is drawn anew here: small, upright, and
// without what a camera writes beside the pixels, such as where it was taken.
const LONGEST = 1024;

// By the first bytes, for a name may say anything: what it becomes, and whether it may stay as it is. A
// GIF is not among them, since it may move. The site says of all others what they are.
const KINDS = [
  { starts: /^\xff\xd8\xff/, becomes: "image/jpeg", stays: true },
  { starts: /^\x89PNG\r\n\x1a\n/, becomes: "image/png", stays: true },
  { starts: /^RIFF[^]{4}WEBP/, becomes: "image/png", stays: true },
  { starts: /^[^]{4}ftyp(hei|hev|mif1|msf1)/, becomes: "image/jpeg", stays: false }, // iPhones: Safari reads it
];

// The file to send in this one's place: itself, where it is small enough or this browser cannot read it.
// `begins` is called before a large one is drawn.
export async function smaller(file, begins) {
  let kind, picture;
  try {
    const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 16).arrayBuffer()));
    kind = KINDS.find(({ starts }) => starts.test(head));
    if (!kind) return file;
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file;
  }
  try {
    if (kind.stays && Math.max(picture.width, picture.height) <= LONGEST) return file;
    begins();
    const blob = await encoded(drawn(picture, picture.width, picture.height), kind.becomes);
    const name = file.name.replace(/\.[^.]*$/, "") + (kind.becomes === "image/png" ? ".png" : ".jpg");
    return blob ? new File([blob], name, { type: kind.becomes }) : file;
  } finally {
    picture.close();
  }
}

// A picture or a video's present frame on a canvas, at most LONGEST pixels long.
export function drawn(source, width, height) {
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const canvas = Object.assign(document.createElement("canvas"), size);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, size.width, size.height);
  return canvas;
}

export function encoded(canvas, type) { return new Promise((done) => { canvas.toBlob(done, type, 0.92); }); }
