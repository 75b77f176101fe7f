from twolevel.api.comparing import compare as compare
from twolevel.api.fitting import fit as fit
from twolevel.api.result import Result as Result
from twolevel.errors import UserError as UserError

__version__: str
