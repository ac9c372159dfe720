"""Authoring: the course in Django's admin. Each module registers what it is about.

| module | is |
| --- | --- |
| sections | sections, and the order of their lectures |
| lectures | the list of lectures, a new one, and the addresses of the pages below |
| desk | where a lecture is written: save, publish, withdraw, two at once |
| proof | a text as its author sees it, and what is wrong in it |
| history | every version, what it changed, and back to it |
| pictures | the pictures of the course, and their upload from the editor |
| stumbles | what students make of a lecture's questions |
"""

from __future__ import annotations

from django.contrib import admin

from courses.admin import lectures, pictures, sections

__all__ = ["lectures", "pictures", "sections"]

admin.site.site_header = "Convolab: authoring"
admin.site.site_title = "Convolab: authoring"
admin.site.index_title = "What you may do here"
admin.site.enable_nav_sidebar = False
