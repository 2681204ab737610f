"""What is remembered of a contact, and the commands its changes amount to.

Everything a shop says about a person is kept field by field with its age, whichever order, cart or account said it. So
the contact in SALESmanago ends the same in whatever order the deliveries come: each field as its newest source has it.

Contacts are remembered under pseudonyms of their addresses: what stays of somebody who was deleted names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from relay import jsontext
from relay.commands import Command, CommandKind, ContactSubject
from relay.privacy import CONTACT_KIND, DELETED_AT, contacts_of
from relay.translation.cards import card_values, consent_flags
from relay.translation.mapping import Source
from relay.translation.scene import Scene
from relay.translation.versions import Version, microseconds
from relay.translation.words import CHANNELS, EMAIL, Words
from schemas.salesmanago import contact_payload
from schemas.values import as_text

_ALIASES = "aliases"  # the pseudonyms of addresses that lead to this one
_LONGEST_CHAIN = 10
_SALES_KEPT = 50

Sale: TypeAlias = tuple[str, str, str]
"""Shop, kind and id of an order or cart."""


def _key(scene: Scene, address: str) -> str:
    return scene.notes.pseudonym(scene.group.key, address)


def _facts(scene: Scene, key: str) -> dict[str, Any]:
    return scene.notes.facts(contacts_of(scene.group.key), CONTACT_KIND, key)


def _note(scene: Scene, key: str, facts: dict[str, Any]) -> None:
    scene.notes.note_facts(contacts_of(scene.group.key), CONTACT_KIND, key, facts)


def resolved(scene: Scene, email: str) -> str:
    """Give the address a person has today, lower-cased."""
    address = email.lower()
    for _ in range(_LONGEST_CHAIN):
        alias = _facts(scene, _key(scene, address)).get("alias")
        if alias is None:
            break
        address = alias
    return address


class Contact:
    """One remembered contact. Call ``save`` once it has changed.

    ``card`` stands for its card in SALESmanago, the same whatever address the person has.
    """

    def __init__(self, scene: Scene, email: str) -> None:
        self._scene = scene
        self.address = resolved(scene, email)
        facts = _facts(scene, _key(scene, self.address))
        self._words = Words(facts.get("words", {}))
        self._told: dict[str, Any] = dict(facts.get("told", {}))
        self._sales: dict[Sale, int] = {(shop, kind, id_): at for shop, kind, id_, at in facts.get("sales", ())}
        self._deleted_at: int = facts.get(DELETED_AT, -1)
        self._left: dict[str, Any] = dict(facts.get("left", {}))
        self.card: str = facts.get("card") or _key(scene, self.address)
        self.claims: set[str] = set(facts.get("claims", ()))

    @property
    def is_known(self) -> bool:
        """Whether SALESmanago has been asked for this contact."""
        return bool(self._words.fields)

    @property
    def email(self) -> str:
        """The address as it was given last."""
        return self._words.email or self.address

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its address of today, and those under which cards of the same person were left behind."""
        return self.address, *self._left

    @property
    def phones(self) -> tuple[str, ...]:
        """The phone number the person has in SALESmanago, if any."""
        return tuple(as_text(word[0]) for name, word in self._words.fields.items() if name == "phone")

    def is_gone_by(self, moment: int) -> bool:
        """Tell whether the person was deleted at ``moment`` or later: words that old must resurrect nobody."""
        return moment <= self._deleted_at

    def sales_after(self, moment: int) -> list[Sale]:
        """Give the orders and carts that said something after a moment, in a fixed order."""
        return sorted(sale for sale, said_at in self._sales.items() if said_at > moment)

    def absorb(self, words: Words, sale: Sale | None = None) -> None:
        """Take over what is newer than what is known, field by field; ``sale`` is what says it, if it is one."""
        self._words.join(words, self.address, self._deleted_at)
        if sale is not None:
            self._sales[sale] = words.newest
            while len(self._sales) > _SALES_KEPT:
                del self._sales[min(self._sales, key=lambda each: (self._sales[each], each))]

    def tell(self, rule: str, sources: Mapping[str, Source]) -> None:
        """Ask for an upsert, unless SALESmanago has been asked for just this."""
        self._upsert(rule, sources, ContactSubject(self.email))

    def rename(self, email: str, version: Version, rule: str, sources: Mapping[str, Source]) -> None:
        """Ask SALESmanago to give this contact another address, and remember it under that one."""
        before, old_address = self.email, self.address
        self._words.fields[EMAIL] = [email, version]
        self._upsert(rule, sources, ContactSubject(before, new_email=email))
        self.address = email.lower()
        known = _facts(self._scene, _key(self._scene, self.address))
        self._deleted_at = max(self._deleted_at, known.get(DELETED_AT, -1))
        self.save()
        self._leave(old_address)

    def become(self, other: Contact) -> None:
        """Let all that was and will be said under this address be said of another contact.

        SALESmanago cannot merge two cards. Where this one has been announced, it stays there, left behind.
        """
        other._deleted_at = max(self._deleted_at, other._deleted_at)
        other._words.join(self._words, other.address, other._deleted_at)
        other._sales = self._sales | other._sales
        other._left = self._left | ({self.address: self._of_card()} if self.is_known else {}) | other._left
        other.claims |= self.claims
        other.save()
        self.address, old_address = other.address, self.address
        self._leave(old_address)

    def has_left(self, email: str) -> bool:
        """Tell whether a card of this person was left behind under an address."""
        return email.lower() in self._left

    def return_to(self, email: str, version: Version) -> None:
        """Go on with the card that was left behind under an address, and leave this one; ``tell`` does the rest."""
        left, old_address = self._left.pop(email.lower()), self.address
        self._left[old_address] = self._of_card()
        self.address, self.card, self._told = email.lower(), left["card"], left["told"]
        self._words.fields[EMAIL] = [email, version]
        self.save()
        self._leave(old_address)

    def delete(self, at: datetime, rule: str, *, for_good: bool = False) -> None:
        """Ask for the contact's deletion; only the moment of it is remembered.

        With ``for_good`` SALESmanago is asked not to keep it for a restoration, also when it may know the person from
        elsewhere only, and under the former address too: the change of it may have come to nothing.
        """
        emails = [self.email, *self._left] if self.is_known or for_good else []
        former = [self._told["before"]] if for_good and "before" in self._told else []
        for email in dict.fromkeys([*emails, *former]):
            payload: dict[str, Any] = {EMAIL: email} | ({"permanently": True} if for_good else {})
            command = Command(CommandKind.CONTACT_DELETE, ContactSubject(email), payload)
            self._scene.ask(command, rule)
        self._deleted_at = max(microseconds(at), self._deleted_at)
        for alias in _facts(self._scene, _key(self._scene, self.address)).get(_ALIASES, ()):
            _note(self._scene, alias, {DELETED_AT: self._deleted_at})
        _note(self._scene, _key(self._scene, self.address), {})
        self._words, self._told, self._sales, self._left, self.claims = Words({}), {}, {}, {}, set()
        self.save()

    def _of_card(self) -> dict[str, Any]:
        return {"card": self.card, "told": self._told}

    def opt_out(self, at: datetime, rule: str) -> None:
        """Ask for an opt-out of both channels."""
        for channel in CHANNELS:
            self._words.state(channel, False, at)
        self.tell(rule, {})

    def save(self) -> None:
        """Keep what has changed."""
        key = _key(self._scene, self.address)
        parts = {
            "words": self._words.kept(),
            "told": self._told,
            "sales": sorted([*sale, at] for sale, at in self._sales.items()),
            "claims": sorted(self.claims),
            "card": self.card,
            "left": self._left,
            DELETED_AT: self._deleted_at if self._deleted_at >= 0 else None,
            _ALIASES: _facts(self._scene, key).get(_ALIASES),
        }
        _note(self._scene, key, {name: part for name, part in parts.items() if part})

    def _leave(self, old_address: str) -> None:
        """Let an old address lead here; whoever is deleted here is deleted there too."""
        old, new = _key(self._scene, old_address), _key(self._scene, self.address)
        aliases = {old, *_facts(self._scene, old).get(_ALIASES, ()), *_facts(self._scene, new).get(_ALIASES, ())}
        _note(self._scene, old, {"alias": self.address})
        _note(self._scene, new, _facts(self._scene, new) | {_ALIASES: sorted(aliases - {new})})

    def _upsert(self, rule: str, sources: Mapping[str, Source], subject: ContactSubject) -> None:
        values = card_values(self._words, self.address)
        consent = self._words.consent()
        shaped = contact_payload(values)
        standing = digest = jsontext.digest(shaped.payload)
        # Nothing stands in SALESmanago: it was never asked, or the last request came to nothing.
        nothing_stands = self._scene.notes.contact_digest(self._scene.group.key, self.address) is None
        before = self._told.get("before", self.email)
        if nothing_stands and before.lower() != self.email.lower():
            # What came to nothing may be the change of the address: then SALESmanago knows the one before.
            subject = ContactSubject(before, new_email=self.email)
        flags = consent_flags(self._words, consent, {} if nothing_stands else self._told.get("consent", {}))
        if nothing_stands or flags or subject.new_email or self._told.get("digest") != standing:
            change = {EMAIL: subject.email, "newEmail": subject.new_email} if subject.new_email else {}
            if flags or change:
                shaped = contact_payload(values | flags | change)
                digest = jsontext.digest(shaped.payload)
            command = Command(CommandKind.CONTACT_UPSERT, subject, shaped.payload, None, shaped.warnings, digest)
            self._scene.ask(command, rule, sources)
            if not self._scene.shop.dry_run:
                self._told = {"digest": standing, "consent": consent}
                if subject.new_email:
                    self._told["before"] = subject.email
        self.save()
