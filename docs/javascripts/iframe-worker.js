/* Lets the search of these pages run when they are opened from the disk.

The theme searches in a worker, and browsers start no worker from a file:// address. So here a hidden frame plays the
worker: it loads the same script, and what it says is handed on. Elsewhere nothing is changed. */
(function () {
  "use strict";
  if (location.protocol !== "file:") return;

  function insideOfTheFrame(window) {
    // A worker speaks to the page that started it; a frame would speak to itself.
    window.postMessage = function (message) {
      window.parent.postMessage({ fromFrame: window.name, message: message }, "*");
    };
  }

  let frames = 0;

  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const name = "worker-" + frames++;
      const frame = document.createElement("iframe");
      this.frame = frame;
      frame.name = name;
      frame.hidden = true;
      frame.srcdoc =
        "<script>(" + insideOfTheFrame + ")(window)<\/script>" +
        '<script src="' + new URL(url, location.href) + '"><\/script>';
      this.ready = new Promise(function (resolve) { frame.onload = resolve; });
      window.addEventListener("message", (event) => {
        if (event.data && event.data.fromFrame === name)
          this.dispatchEvent(new MessageEvent("message", { data: event.data.message }));
      });
      if (document.body) document.body.append(frame);
      else document.addEventListener("DOMContentLoaded", function () { document.body.append(frame); });
    }

    postMessage(message) {
      this.ready.then(() => {
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: message }));
      });
    }

    terminate() {
      this.frame.remove();
    }
  };
})();
