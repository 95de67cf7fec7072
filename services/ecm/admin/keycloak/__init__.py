"""Keycloak as a region's issuer: one realm, brought to what the region file says.

`wanted` (pure) says what a realm must hold, `actual` reads what it holds, both in the form of `configuration`;
`difference` (pure) is the plan, and `apply` carries it out.
"""
