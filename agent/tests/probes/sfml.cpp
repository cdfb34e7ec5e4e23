// Reads the pad as SFML does, which asks udev which joysticks there are; draws through GLX.
#include <SFML/Graphics.hpp>
#include <cstdio>

int main()
{
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    sf::RenderWindow window(sf::VideoMode(320, 240), "probe");
    for (unsigned frame = 0; window.isOpen(); frame++) {
        sf::Event event;
        while (window.pollEvent(event))
            if (event.type == sf::Event::JoystickButtonPressed)
                std::printf("pressed %u\n", event.joystickButton.button);
        bool there = sf::Joystick::isConnected(0);
        bool pressed = sf::Joystick::isButtonPressed(0, 0);
        float x = sf::Joystick::getAxisPosition(0, sf::Joystick::X);
        if (frame % 10 == 0)
            std::printf("%u there %d buttons %u south %d x %.0f time %d %s\n", frame, there,
                        sf::Joystick::getButtonCount(0), pressed, x, 0,
                        sf::Joystick::getIdentification(0).name.toAnsiString().c_str());
        window.clear(sf::Color(pressed ? 255 : 0, 100, 50));
        window.display();
    }
}
