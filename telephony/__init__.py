"""The only room that speaks AMI, AGI and SIP. Above it there are lines, seats' phones and facts, no channels."""
