"""Before the first reader comes: a lecture that nobody sees is drawn.

Figures, KaTeX, Pygments and the templates load when they are first needed. Whoever opens the first
lecture after a start would wait for them, three times as long as for the lecture itself.
"""

from __future__ import annotations

import threading

from courses.atlas import Atlas, Leg, Stop
from courses.figures.figure import every_figure
from courses.pages import drawn
from labs.lab import catalog

TEXT = """---
title: A
summary: A
minutes: 1
status: published
---

## A

Text with *emphasis*, $x^2$ and [a link](/).

```python
print(1)
```

| a | b |
| - | - |
| 1 | 2 |

:::note
A note.
:::

:::question choice a
ask: A
options:
  - {{right: a, says: a}}
  - {{wrong: b, says: b}}
hints: [a]
solution: a
:::

:::lab {lab}
Try it.
:::

:::figure {figure}
A figure.
:::
"""


def warm() -> None:
    """Draw it as views do, not in the main thread: KaTeX is loaded for them."""
    thread = threading.Thread(target=draw, name="warm")
    thread.start()
    thread.join()


def draw() -> None:
    stop = Stop(0, "a", "a", "1.1", "A", "A", 1, (), is_published=True)
    text = TEXT.format(lab=next(iter(catalog())), figure=next(iter(every_figure())))
    drawn(Atlas((Leg(1, "a", "A", "A", (stop,)),)), stop, text)
