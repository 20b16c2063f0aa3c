from app.users.role import Role
from app.users.schemas import UserCreate, UserPatch
from app.web.schemas import Output, Patchable


class TokenUser(UserCreate):
    """A user as a token has it: the role is the provider's to say, and no request writes it."""

    role: Role


class TokenUserPatch(UserPatch):
    role: Patchable[Role] = None


class Me(Output):
    id: int
    email: str
    name: str
    role: Role
