"""Decide which alerts are sent and through which channels: rules, cool-downs, arming, and the state of the camera.

- ``policy``: what the daemon calls; holds the lock
- ``visit_policy``: alerts for visitors: rules, cool-downs, corrections
- ``system_policy``: alerts for the camera and for facesecure itself
- ``rules``: the household's rules; ``live_rules`` applies them at this moment
- ``cooldowns``: who was notified, as immutable values; ``visit`` is one visit, ``camera_state`` the camera
- ``state``: what was notified, in memory; ``state_file`` keeps it across restarts
- ``arming``: home, away or off
- ``wording``: the sentences
- ``timer``: sends what is due although nothing happens
"""
