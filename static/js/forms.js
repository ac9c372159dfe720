// What every form of the site shares: a token that is renewed, and a second press that is dropped.

// Who signs in elsewhere in this browser has another CSRF token than the page was made with. The
// site's refusal brings it (labs.views.errors.csrf_failure), and the request is repeated, once.
async function send(url, request = {}) {
  const response = await fetch(url, request);
  const token = response.status === 403 && response.headers.get("X-CSRFToken");
  if (!token) return response;
  renew(token);
  const { body, headers } = request;
  if (body?.has?.("csrfmiddlewaretoken")) body.set("csrfmiddlewaretoken", token);
  return fetch(url, { ...request, headers: { ...headers, "X-CSRFToken": token } });
}

function renew(token) {
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
}

globalThis.convolab = { send };
document.addEventListener("htmx:before:request", ({ detail }) => { detail.ctx.fetch = send; });

// The second press of a double click: the first may have been answered by then.
document.addEventListener("click", (event) => {
  if (event.detail > 1 && event.target.closest?.("form [type=submit], form button:not([type])")) event.preventDefault();
}, true);
