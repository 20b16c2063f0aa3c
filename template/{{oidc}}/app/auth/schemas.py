from app.users.role import Role
from app.web.schemas import Output


class Me(Output):
    id: int
    email: str
    name: str
    role: Role
