"""The daemon's side of the page: a second socket with an allow-list of verbs, each checked for session and role.

The web process keeps no session, key or picture. It passes on what a browser asks together with the browser's token;
whoever takes it over can do what the people who are signed in may do, and only while they are.
"""
