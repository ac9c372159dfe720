// <picture-upload>: a file or a shot by the camera, made smaller here where it is large, sent to
// /pictures/. The answer asks again until a worker has read the picture; then it becomes a tile and is
// chosen.
import { drawn, encoded, smaller } from "./smaller.js";

const NO_CAMERA = {
  NotAllowedError: "The browser does not let this page use the camera. Allow it in the address bar, or upload a picture.",
  NotFoundError: "No camera was found. Connect one and try again, or upload a picture.",
  NotReadableError: "The camera did not start; another program may have it. Close that and try again, or upload a picture.",
};

class PictureUpload extends HTMLElement {
  connectedCallback() {
    this.answer = document.getElementById(this.dataset.target);
    this.file = this.querySelector("input[type=file]");
    this.stage = this.querySelector("[data-stage]");
    this.video = this.querySelector("video");
    this.camera = this.querySelector("[data-camera]");
    this.camera.hidden = !navigator.mediaDevices?.getUserMedia;
    this.tiles = this.closest("fieldset").querySelector(".tiles");
    new MutationObserver((changes) => { if (changes.some(({ removedNodes }) => removedNodes.length)) this.deleted(); }).observe(this.tiles, { childList: true });
    this.file.addEventListener("change", (event) => {
      event.stopPropagation();
      if (this.file.files[0]) this.check(this.file.files[0]);
      this.file.value = "";
    });
    this.camera.addEventListener("click", () => this.open());
    this.shutter = this.querySelector("[data-shoot]");
    this.shutter.addEventListener("click", () => this.shoot());
    this.video.addEventListener("loadeddata", () => { this.shutter.disabled = false; this.shutter.focus(); });
    this.querySelector("[data-stop]").addEventListener("click", () => this.stop());
    this.answer.addEventListener("htmx:after:settle", () => this.take());
  }

  disconnectedCallback() { this.stop(); }

  say(text, wrong = true) {
    const line = Object.assign(document.createElement("p"), { className: wrong ? "upload-line error" : "upload-line", textContent: text });
    this.answer.replaceChildren(line);
  }

  async check(file) {
    if (file.type && !file.type.startsWith("image/")) {
      this.say(`“${file.name}” is not a picture. Choose a JPEG, PNG or WebP picture; your other settings are kept.`);
      return;
    }
    this.say("Your picture is being read.", false);
    const ready = await smaller(file, () => this.say("Your picture is being made smaller.", false));
    if (ready.size > Number(this.dataset.most)) this.say(`“${file.name}” has ${(ready.size / 1e6).toFixed(1)} MB, the most is 6 MB, and this browser could not make it smaller. Save it as a smaller JPEG, then try again.`);
    else this.send(ready, ready.name);
  }

  async send(blob, name) {
    this.say("Your picture is being sent.", false);
    const body = new FormData();
    body.append("picture", blob, name);
    const token = this.closest("form").elements.csrfmiddlewaretoken.value;
    try {
      const response = await convolab.send(this.dataset.url, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } });
      const text = await response.text();
      if (response.redirected) this.say("You are not signed in any more. Sign in on another tab, then try again.");
      else if (response.status === 413) this.say("The picture is larger than the site takes. Make it smaller, then try again.");
      // What a limit says (labs.views.errors.refused) is as good an answer as what is wrong with the picture.
      else if (!response.ok && response.status !== 422 && !response.headers.has("HX-Retarget")) this.say("The picture was not taken in. Reload the page and try again.");
      else await htmx.swap({ text, sourceElement: this.answer, target: this.answer, swap: "innerHTML" });
    } catch {
      this.say("The picture did not reach the site. Check your connection and try again.");
    }
  }

  // The picture is ready: its tile joins the others, chosen, and the lab hears of it.
  take() {
    const made = this.answer.querySelector("template[data-tile]");
    if (!made) return;
    made.remove();
    const tile = made.content.firstElementChild;
    const radio = tile.querySelector("input");
    radio.name = this.dataset.name;
    this.tiles.append(tile);
    htmx.process(tile);
    this.choose(radio);
  }

  choose(radio) {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // A picture was deleted: where it was the chosen one, the default is.
  deleted() {
    this.say("The picture is deleted.", false);
    if (!this.tiles.querySelector("input:checked")) this.choose(this.tiles.querySelector("[data-default]"));
    if (document.activeElement === document.body) this.tiles.querySelector("input:checked").focus();
  }

  // One stream at most is open: another press, or the end of this element, stops the one before.
  async open() {
    this.stop();
    this.camera.hidden = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
      this.stop();
      this.stream = stream;
    } catch (problem) {
      this.camera.hidden = false;
      this.say(NO_CAMERA[problem.name] ?? NO_CAMERA.NotReadableError);
      return;
    }
    if (!this.isConnected) { this.stop(); return; }
    this.camera.hidden = this.shutter.disabled = true;
    this.video.srcObject = this.stream;
    this.stage.hidden = false;
  }

  async shoot() {
    const shot = drawn(this.video, this.video.videoWidth, this.video.videoHeight);
    this.stop();
    this.send(await encoded(shot, "image/jpeg"), "camera.jpg");
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    if (!this.stream) return;
    this.stream = null;
    const inside = this.stage.contains(document.activeElement);
    this.stage.hidden = true;
    this.camera.hidden = false;
    if (inside) this.camera.focus();
  }
}

customElements.define("picture-upload", PictureUpload);
