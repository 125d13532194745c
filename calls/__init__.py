"""The call controller: one mailbox per call; `script` decides, `service` performs, `links` joins the rooms."""
