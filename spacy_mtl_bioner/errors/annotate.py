"""Messages about annotating texts: MTL350 to MTL399 about its jobs, MTL400 to MTL449 about entities and pages."""

from .coded import Coded

E400 = Coded("MTL400", "{where}: {found}; expected an object of corpora (or '*') with objects of labels, all texts.")
