"""The child's file, the case and its life cycle, the referral (checklist A to G, L)."""
