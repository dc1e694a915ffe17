"""The lab: everything the course computes about dropout."""

from dropoutlab.layers import ClassicDropout as ClassicDropout
from dropoutlab.layers import DropConnectLinear as DropConnectLinear
from dropoutlab.layers import Dropout as Dropout
from dropoutlab.layers import DropPath as DropPath
from dropoutlab.layers import GaussianDropout as GaussianDropout
from dropoutlab.layers import SpatialDropout as SpatialDropout
