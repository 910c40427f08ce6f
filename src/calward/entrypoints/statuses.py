"""Which HTTP status does each kind of error have? One table for servers, and for whoever shows their errors without being one."""

from http import HTTPStatus

from calward.domain.errors import Problem

__all__ = ["STATUS"]

STATUS = {
    Problem.MALFORMED: HTTPStatus.BAD_REQUEST,
    Problem.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Problem.CONFLICT: HTTPStatus.CONFLICT,
    Problem.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    Problem.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Problem.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Problem.UNREACHABLE: HTTPStatus.BAD_GATEWAY,
    Problem.CORRUPT: HTTPStatus.INTERNAL_SERVER_ERROR,
}
