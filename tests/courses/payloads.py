"""Texts that would run a script, load something or break out, were they not made harmless.

Each calls `hit()` or asks for `/hit`, so that a test in the browser can see whether one works.
"""

from __future__ import annotations

_ATTRIBUTES = (
    "onerror onload onclick onfocus onmouseover ontoggle onanimationstart onpointerdown onbegin "
    "onpageshow hx-on:click hx-get hx-post data-hx-get hx-trigger hx-vals style srcdoc formaction "
)
ATTRIBUTES = _ATTRIBUTES.split()
_ELEMENTS = (
    "img svg iframe video audio body input details marquee object embed math form button select "
    "textarea keygen table template style link base meta frameset isindex applet "
)
ELEMENTS = _ELEMENTS.split()
SCHEMES = [
    "javascript:hit()",
    "JaVaScRiPt:hit()",
    " javascript:hit()",
    "java\tscript:hit()",
    "java&#x0A;script:hit()",
    "&#106;avascript:hit()",
    "javascript&colon;hit()",
    "\x01javascript:hit()",
    "vbscript:hit()",
    "data:text/html,<script>hit()</script>",
    "data:text/html;base64,PHNjcmlwdD5oaXQoKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=hit()>",
    "//hit.invalid/hit",
    "blob:hit",
    "file:///hit",
    "feed:javascript:hit()",
    "view-source:javascript:hit()",
]
HTML = [
    "<script>hit()</script>",
    "<SCRIPT SRC=/hit></SCRIPT>",
    "<scr<script>ipt>hit()</scr</script>ipt>",
    "<svg><script>hit()</script></svg>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=hit()>",
    "<noscript><p title='</noscript><img src=x onerror=hit()>'>",
    "<x-slot n=0></x-slot>",
    '<x-slot n="0" onclick=hit()></x-slot>',
    "<hx-partial hx-target='body'><img src=x onerror=hit()></hx-partial>",
    "<div hx-get=/hit hx-trigger=load></div>",
    "<p data-hx-get=/hit data-hx-trigger=load>a</p>",
    "<!--><img src=x onerror=hit()>-->",
    "<![CDATA[<img src=x onerror=hit()>]]>",
    "<a href='javascript:hit()' autofocus onfocus=hit()>a</a>",
    "<form action=/hit><button autofocus onfocus=hit()>a</button></form>",
    "<input autofocus onfocus=hit()>",
    "<details open ontoggle=hit()>a</details>",
    "<style>@import '/hit'; body { background: url(/hit) }</style>",
    "<p style='background: url(/hit)'>a</p>",
    "<link rel=stylesheet href=/hit>",
    "<meta http-equiv=refresh content='0;url=/hit'>",
    "<base href=/hit>",
    "<object data=/hit></object>",
    "<embed src=/hit>",
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "<video><source onerror=hit()></video>",
    "<template><img src=x onerror=hit()></template>",
    "</main><script>hit()</script>",
    "</textarea><script>hit()</script>",
    "<img src='x' onerror='hit()'//",
    "\x00<script>hit()</script>",
    "\x00csrf\x00",
    "\x00question:x\x00",
]
MARKDOWN = [
    '![a" onerror="hit()](pictures/a-1x1.png)',
    '![a](pictures/a-1x1.png" onerror="hit())',
    "![a](/hit)",
    "![<img src=x onerror=hit()>](/hit)",
    "[a](<javascript:hit()>)",
    "[a]: javascript:hit()\n\n[a]",
    "[a](/ \"a' onmouseover='hit()\")",
    "<javascript:hit()>",
    "`<script>hit()</script>`",
    "```html\n<script>hit()</script>\n```",
    "``` <script>hit()</script>\na\n```",
    '```" onclick="hit()\na\n```',
    "```python\n</code></pre><script>hit()</script>\n```",
    "```output\n</code></pre><script>hit()</script>\n```",
    "    <script>hit()</script>",
    "# <img src=x onerror=hit()>",
    "## a { onclick=hit() }",
    '## <a name="x" onclick=hit()>',
    "| <img src=x onerror=hit()> |\n|---|\n| <script>hit()</script> |",
    "> <script>hit()</script>",
    "- <script>hit()</script>",
    "**<script>hit()</script>**",
    "a  <br onclick=hit()>",
    "&lt;script&gt;hit()&lt;/script&gt;",
    "&#60;script&#62;hit()&#60;/script&#62;",
    "\\<script>hit()</script>",
]
FORMULAS = [
    r"$\href{javascript:hit()}{a}$",
    r"$\url{javascript:hit()}$",
    r"$\htmlId{x}{a}$",
    r"$\htmlClass{x}{a}$",
    r"$\htmlStyle{background: url(/hit)}{a}$",
    r"$\htmlData{hx-get=/hit}{a}$",
    r"$\includegraphics{/hit}$",
    r"$\text{<script>hit()</script>}$",
    r"$</annotation><script>hit()</script>$",
    r"$\unicode{x3c}script$",
    r"$\def\a{<img src=x onerror=hit()>}\a$",
    r"$$</math><img src=x onerror=hit()>$$",
    r"$\color{red;background:url(/hit)}a$",
    r"$\textcolor{\" onclick=\"hit()}{a}$",
    r"$\frac{<svg onload=hit()>}$",
]
DIRECTIVES = [
    ":::script\nhit()\n:::",
    ":::note <script>hit()</script>\na\n:::",
    ":::note a\n<script>hit()</script>\n:::",
    ":::mistake\n<img src=x onerror=hit()>\n:::",
    ":::note a\n:::lab kernel-forge\n:::\n:::",
    ":::figure sliding-window\n<script>hit()</script>\n:::",
    ":::figure ../../x\na\n:::",
    ':::figure sliding-window {"row": "<script>hit()</script>"}\na\n:::',
    ":::lab <script>\na\n:::",
    ':::lab kernel-forge {"picture": "\\"><script>hit()</script>"}\n<script>hit()</script>\n:::',
    ':::lab kernel-forge {"picture": "\' onclick=hit() x=\'"}\na\n:::',
    ":::question choice x\nask: <script>hit()</script>\noptions:\n"
    "  - {right: <img src=x onerror=hit()>, says: <script>hit()</script>}\n"
    '  - {wrong: "javascript:hit()", says: "[a](javascript:hit())"}\n'
    "hints: [<script>hit()</script>]\nsolution: <script>hit()</script>\n:::",
    ':::question numeric y\nlet: {n: ["<script>hit()</script>", "<img src=x onerror=hit()>"]}\n'
    'ask: "{{n}}"\nanswer: 1\nunit: <script>hit()</script>\nhints: ["{{n}}"]\n'
    'solution: "{{n}}"\n:::',
    ":::question numeric z\nlet: {n: 1..3}\nask: a\nanswer: n\nhints: [h]\nsolution: s\ngrids:\n"
    '  - {title: <script>hit()</script>, values: "((1, 2), (3, n))"}\n:::',
    "{{<script>.x.y}}",
    "{{first-cnn.<b>.median}}",
]
EVENTS = [f"<{tag} {on}=hit()>a</{tag}>" for tag, on in zip(ELEMENTS, ATTRIBUTES * 2, strict=False)]
EVENTS += [f"<img src=x {on}=hit()>" for on in ATTRIBUTES]
LINKS = [f"[a]({scheme})" for scheme in SCHEMES] + [f"![a]({scheme})" for scheme in SCHEMES[:8]]
PAYLOADS = [*HTML, *MARKDOWN, *FORMULAS, *DIRECTIVES, *EVENTS, *LINKS]
